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

/* What the shared library shows; and a function that formats text, for the compiler's check. */
#if defined(__GNUC__)
#define PUBSUB_API __attribute__((visibility("default")))
#define PUBSUB_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PUBSUB_API
#define PUBSUB_PRINTF(fmt, args)
#endif

/* `len` bytes at ptr, not NUL-terminated. len 0: empty, whatever ptr is. */
struct pubsub_view {
  const uint8_t *ptr; /* borrowed */
  size_t len;         /* in bytes */
};

/* One attribute of a message; both parts are UTF-8. */
struct pubsub_attribute {
  struct pubsub_view key;   /* not empty, up to 256 bytes */
  struct pubsub_view value; /* up to 1024 bytes */
};

#endif
