/*
 * What every public header shares: how a function is exported, and the two borrowed shapes that
 * cross the library's border in both directions.
 *
 * Ownership: everything here is borrowed. Whoever hands one over says until when it is valid: for
 * an argument, until the function returns, unless its comment says otherwise.
 */
#ifndef PUBSUB_TYPES_H
#define PUBSUB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define PUBSUB_API __attribute__((visibility("default")))
#define PUBSUB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PUBSUB_API
#define PUBSUB_PRINTF(fmt, args)
#endif

/* `len` bytes at ptr, not NUL-terminated. len 0: empty, whatever ptr is. */
struct pubsub_view {
  const uint8_t *ptr;
  size_t len;
};

/* One attribute of a message; both parts are UTF-8. */
struct pubsub_attribute {
  struct pubsub_view key, value;
};

#endif
