/* Intrusive doubly linked list with a sentinel; no allocation. */
#ifndef PUBSUB_BASE_LIST_H
#define PUBSUB_BASE_LIST_H

#include <stdbool.h>

struct pubsub_list {
  struct pubsub_list *next, *prev; /* of a detached node: both point to itself */
};
static inline void pubsub_list_init(struct pubsub_list *node) {
  node->next = node->prev = node;
}
static inline bool pubsub_list_empty(const struct pubsub_list *head) {
  return head->next == head;
}
static inline void pubsub_list_push_back(struct pubsub_list *head, struct pubsub_list *node) {
  node->prev = head->prev;
  node->next = head;
  head->prev->next = node;
  head->prev = node;
}
static inline void pubsub_list_push_front(struct pubsub_list *head, struct pubsub_list *node) {
  pubsub_list_push_back(head->next, node);
}
static inline void pubsub_list_remove(struct pubsub_list *node) {
  node->prev->next = node->next;
  node->next->prev = node->prev;
  pubsub_list_init(node);
}
/* All of `from` in its order behind what `to` has. */
static inline void pubsub_list_move_all(struct pubsub_list *to, struct pubsub_list *from) {
  if (pubsub_list_empty(from)) return;
  from->next->prev = to->prev;
  from->prev->next = to;
  to->prev->next = from->next;
  to->prev = from->prev;
  pubsub_list_init(from);
}

#endif
