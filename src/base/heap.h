/*
 * Intrusive min-heap by due time (a pairing heap): timers, leases, retries and redelivery
 * deadlines.
 *
 * The links are in the nodes, so nothing here allocates and nothing can fail. The owner of a node
 * removes it before it frees it. Setting and the top are O(1), removing is O(log n) amortised; no
 * call recurses, whatever the order of the nodes.
 */
#ifndef PUBSUB_BASE_HEAP_H
#define PUBSUB_BASE_HEAP_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: not in a heap. */
struct pubsub_heap_node {
  uint64_t due;
  struct pubsub_heap_node *child;   /* the first one; each is due no earlier than its parent */
  struct pubsub_heap_node *sibling; /* the next child of the same parent */
  struct pubsub_heap_node *before; /* sibling or parent before it; the root: itself; NULL: absent */
};
/* Zeroed: empty. */
struct pubsub_heap {
  struct pubsub_heap_node *root;
};

static inline bool pubsub_heap_has(const struct pubsub_heap_node *node) {
  return node->before != 0;
}
/* The node that is due first; NULL where there is none. */
static inline struct pubsub_heap_node *pubsub_heap_top(const struct pubsub_heap *heap) {
  return heap->root;
}
/* Inserts, or moves where the node is in the heap already. */
void pubsub_heap_set(struct pubsub_heap *heap, struct pubsub_heap_node *node, uint64_t due);
void pubsub_heap_remove(struct pubsub_heap *heap,
                        struct pubsub_heap_node *node); /* absent: no-op */
void pubsub_heap_clear(struct pubsub_heap *heap);       /* takes all nodes out */

#endif
