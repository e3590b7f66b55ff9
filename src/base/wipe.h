/* Overwrites what is secret, so that the compiler does not leave it out: not every C library has
 * explicit_bzero. */
#ifndef PUBSUB_BASE_WIPE_H
#define PUBSUB_BASE_WIPE_H

#include <stddef.h>
#include <string.h>

static inline void pubsub_wipe(void *secret, size_t len) {
  if (len == 0) return;
  memset(secret, 0, len);
  __asm__ volatile("" : : "r"(secret) : "memory");
}

#endif
