#include "base/heap.h"

#include "base/alloc.h"
#include <stdbool.h>

static void place(struct pubsub_heap *heap, size_t index, struct pubsub_heap_node *node) {
  heap->nodes[index - 1] = node;
  node->index = index;
}

static void sift_up(struct pubsub_heap *heap, struct pubsub_heap_node *node, size_t index) {
  while (index > 1 && heap->nodes[index / 2 - 1]->due > node->due) {
    place(heap, index, heap->nodes[index / 2 - 1]);
    index /= 2;
  }
  place(heap, index, node);
}

static void sift_down(struct pubsub_heap *heap, struct pubsub_heap_node *node, size_t index) {
  for (;;) {
    size_t child = index * 2;
    if (child > heap->count) break;
    if (child < heap->count && heap->nodes[child]->due < heap->nodes[child - 1]->due) child++;
    if (heap->nodes[child - 1]->due >= node->due) break;
    place(heap, index, heap->nodes[child - 1]);
    index = child;
  }
  place(heap, index, node);
}

static void settle(struct pubsub_heap *heap, struct pubsub_heap_node *node, size_t index) {
  bool up = index > 1 && heap->nodes[index / 2 - 1]->due > node->due;
  if (up) {
    sift_up(heap, node, index);
  } else {
    sift_down(heap, node, index);
  }
}

void pubsub_heap_clear(struct pubsub_heap *heap) {
  for (size_t i = 0; i < heap->count; i++)
    heap->nodes[i]->index = 0;
  pubsub_free(heap->nodes);
  *heap = (struct pubsub_heap){0};
}

enum pubsub_status pubsub_heap_set(struct pubsub_heap *heap, struct pubsub_heap_node *node,
                                   uint64_t due) {
  if (node->index == 0) {
    if (heap->count == heap->cap) {
      size_t cap = heap->cap ? heap->cap * 2 : 16;
      void *nodes = pubsub_realloc(heap->nodes, cap * sizeof *heap->nodes);
      if (!nodes) return PUBSUB_E_NOMEM;
      heap->nodes = nodes;
      heap->cap = cap;
    }
    node->due = due;
    heap->count++;
    sift_up(heap, node, heap->count);
  } else {
    node->due = due;
    settle(heap, node, node->index);
  }
  return PUBSUB_OK;
}

void pubsub_heap_remove(struct pubsub_heap *heap, struct pubsub_heap_node *node) {
  size_t index = node->index;
  if (index == 0) return;
  struct pubsub_heap_node *last = heap->nodes[--heap->count];
  node->index = 0;
  if (last != node) settle(heap, last, index);
}

struct pubsub_heap_node *pubsub_heap_top(const struct pubsub_heap *heap) {
  return heap->count ? heap->nodes[0] : NULL;
}
