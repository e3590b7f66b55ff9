/* Intrusive binary min-heap by due time. Used for timers, leases and redelivery deadlines. */
#ifndef PUBSUB_BASE_HEAP_H
#define PUBSUB_BASE_HEAP_H

#include <pubsub/error.h>
#include <stddef.h>
#include <stdint.h>

struct pubsub_heap_node {
  uint64_t due;
  size_t index; /* 1-based position in the heap; 0: not in it */
};
struct pubsub_heap {
  struct pubsub_heap_node **nodes;
  size_t count, cap;
};
void pubsub_heap_clear(struct pubsub_heap *heap);
/* Inserts, or moves where the node is in the heap already. Errors: NOMEM. */
enum pubsub_status pubsub_heap_set(struct pubsub_heap *heap, struct pubsub_heap_node *node,
                                   uint64_t due);
void pubsub_heap_remove(struct pubsub_heap *heap,
                        struct pubsub_heap_node *node);                   /* absent: no-op */
struct pubsub_heap_node *pubsub_heap_top(const struct pubsub_heap *heap); /* NULL when empty */

#endif
