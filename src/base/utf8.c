#include "base/utf8.h"

static bool is_tail(uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

/* Bytes of the valid sequence at ptr: 1..4; 0: there is none. */
static size_t sequence_bytes(const uint8_t *ptr, size_t len) {
  uint8_t a = ptr[0];
  if (a < 0x80) return 1;
  if (a >= 0xc2 && a <= 0xdf) return len >= 2 && is_tail(ptr[1]) ? 2 : 0;
  if (a >= 0xe0 && a <= 0xef) {
    if (len < 3 || !is_tail(ptr[1]) || !is_tail(ptr[2])) return 0;
    if (a == 0xe0 && ptr[1] < 0xa0) return 0; /* overlong */
    if (a == 0xed && ptr[1] > 0x9f) return 0; /* surrogate */
    return 3;
  }
  if (a >= 0xf0 && a <= 0xf4) {
    if (len < 4 || !is_tail(ptr[1]) || !is_tail(ptr[2]) || !is_tail(ptr[3])) return 0;
    if (a == 0xf0 && ptr[1] < 0x90) return 0; /* overlong */
    if (a == 0xf4 && ptr[1] > 0x8f) return 0; /* beyond U+10FFFF */
    return 4;
  }
  return 0;
}

bool pubsub_utf8_valid(const uint8_t *ptr, size_t len) {
  if (pubsub_ascii(ptr, len)) return true;
  while (len > 0) {
    size_t sequence = sequence_bytes(ptr, len);
    if (sequence == 0) return false;
    ptr += sequence;
    len -= sequence;
  }
  return true;
}

size_t pubsub_utf8_repair(const uint8_t *ptr, size_t len, uint8_t *out) {
  static const uint8_t replacement[3] = {0xef, 0xbf, 0xbd};
  size_t total = 0;
  while (len > 0) {
    size_t taken = sequence_bytes(ptr, len);
    size_t put = taken ? taken : sizeof replacement;
    if (out) memcpy(out + total, taken ? ptr : replacement, put);
    total += put;
    if (taken == 0) taken = 1;
    ptr += taken;
    len -= taken;
  }
  return total;
}
