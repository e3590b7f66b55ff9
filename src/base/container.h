/* From a member back to the struct that embeds it: the one idiom for intrusive links, nodes and
 * callbacks. */
#ifndef PUBSUB_BASE_CONTAINER_H
#define PUBSUB_BASE_CONTAINER_H

#include <stddef.h>

/* The constant part refuses to compile where `ptr` does not point to a `member` of the type. */
#define PUBSUB_CONTAINER_OF(ptr, type, member)                                                     \
  ((type *)((char *)(ptr)-offsetof(type, member) + 0 * sizeof(1 ? (ptr) : &((type *)0)->member)))

#endif
