/* UTF-8 (RFC 3629): checking, with a fast path for ASCII, and repair. */
#ifndef PUBSUB_BASE_UTF8_H
#define PUBSUB_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool pubsub_ascii(const uint8_t *ptr, size_t len) {
  uint64_t bits = 0, word;
  for (; len >= 8; ptr += 8, len -= 8) {
    memcpy(&word, ptr, 8);
    bits |= word;
  }
  for (; len > 0; ptr++, len--)
    bits |= (uint64_t)*ptr << 56 | *ptr;
  return (bits & 0x8080808080808080u) == 0;
}
bool pubsub_utf8_valid(const uint8_t *ptr, size_t len);
/* Writes the text with every invalid byte replaced by U+FFFD to out (NULL: only counts); returns
 * its length, at most 3 * len. */
size_t pubsub_utf8_repair(const uint8_t *ptr, size_t len, uint8_t *out);

#endif
