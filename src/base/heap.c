#include "base/heap.h"

#include <stddef.h>

/* Of two trees one: the root that is due later becomes the other's first child. */
static struct pubsub_heap_node *join(struct pubsub_heap_node *a, struct pubsub_heap_node *b) {
  if (!a || !b) return a ? a : b;
  struct pubsub_heap_node *above = b->due < a->due ? b : a, *below = above == a ? b : a;
  below->sibling = above->child;
  if (below->sibling) below->sibling->before = below;
  below->before = above;
  above->child = below;
  return above;
}

static struct pubsub_heap_node *take_first(struct pubsub_heap_node **list) {
  struct pubsub_heap_node *node = *list;
  if (!node) return NULL;
  *list = node->sibling;
  node->sibling = NULL;
  return node;
}

/* Of a row of siblings one tree: joined in pairs, then those from the last to the first. */
static struct pubsub_heap_node *join_all(struct pubsub_heap_node *list) {
  struct pubsub_heap_node *pairs = NULL, *all = NULL, *pair;
  while (list) {
    struct pubsub_heap_node *one = take_first(&list), *other = take_first(&list);
    pair = join(one, other);
    pair->sibling = pairs;
    pairs = pair;
  }
  while ((pair = take_first(&pairs)))
    all = join(all, pair);
  return all;
}

static void set_root(struct pubsub_heap *heap, struct pubsub_heap_node *root) {
  heap->root = root;
  if (root) root->before = root;
}

static void unlink_from_siblings(struct pubsub_heap_node *node) {
  if (node->before->child == node) {
    node->before->child = node->sibling;
  } else {
    node->before->sibling = node->sibling;
  }
  if (node->sibling) node->sibling->before = node->before;
}

void pubsub_heap_remove(struct pubsub_heap *heap, struct pubsub_heap_node *node) {
  if (!pubsub_heap_has(node)) return;
  struct pubsub_heap_node *rest = join_all(node->child);
  if (heap->root == node) {
    set_root(heap, rest);
  } else {
    unlink_from_siblings(node);
    set_root(heap, join(heap->root, rest));
  }
  node->child = node->sibling = node->before = NULL;
}

void pubsub_heap_set(struct pubsub_heap *heap, struct pubsub_heap_node *node, uint64_t due) {
  pubsub_heap_remove(heap, node);
  node->due = due;
  set_root(heap, join(heap->root, node));
}

void pubsub_heap_clear(struct pubsub_heap *heap) {
  while (heap->root)
    pubsub_heap_remove(heap, heap->root);
}
