/* Classes of ASCII characters, whatever the process's locale is. Anything beyond is none of
 * them. */
#ifndef PUBSUB_PAYLOAD_ASCII_H
#define PUBSUB_PAYLOAD_ASCII_H

#include <stdbool.h>

static inline bool pubsub_is_digit(int c) {
  return c >= '0' && c <= '9';
}
static inline bool pubsub_is_letter(int c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

#endif
