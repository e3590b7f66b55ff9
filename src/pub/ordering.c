#include "pub/ordering.h"

static struct pubsub_ordering_item *item_of(struct pubsub_list *link) {
  return PUBSUB_CONTAINER_OF(link, struct pubsub_ordering_item, link);
}

static struct pubsub_ordering_places *places_of(struct pubsub_ordering *ordering,
                                                const struct pubsub_ordering_item *item) {
  return item->key.len > 0 ? &ordering->keyed : &ordering->plain;
}

void pubsub_ordering_init(struct pubsub_ordering *ordering, size_t max_plain, size_t max_keyed) {
  pubsub_map_init(&ordering->heads);
  ordering->plain = (struct pubsub_ordering_places){.max_under_way = max_plain};
  ordering->keyed = (struct pubsub_ordering_places){.max_under_way = max_keyed};
  pubsub_list_init(&ordering->plain.ready);
  pubsub_list_init(&ordering->keyed.ready);
}

void pubsub_ordering_clear(struct pubsub_ordering *ordering) {
  pubsub_map_clear(&ordering->heads);
}

enum pubsub_status pubsub_ordering_add(struct pubsub_ordering *ordering,
                                       struct pubsub_ordering_item *item) {
  pubsub_list_init(&item->link);
  pubsub_list_init(&item->followers);
  if (item->key.len > 0) {
    struct pubsub_map_entry *entry = pubsub_map_find(&ordering->heads, item->key);
    if (entry) {
      struct pubsub_ordering_item *head =
          PUBSUB_CONTAINER_OF(entry, struct pubsub_ordering_item, entry);
      pubsub_list_push_back(&head->followers, &item->link);
      return PUBSUB_OK;
    }
    enum pubsub_status status = pubsub_map_insert(&ordering->heads, &item->entry, item->key);
    if (status) return status;
  }
  pubsub_list_push_back(&places_of(ordering, item)->ready, &item->link);
  return PUBSUB_OK;
}

static struct pubsub_ordering_item *take_place(struct pubsub_ordering_places *places) {
  if (places->under_way >= places->max_under_way || pubsub_list_empty(&places->ready)) return NULL;
  struct pubsub_ordering_item *item = item_of(places->ready.next);
  pubsub_list_remove(&item->link);
  places->under_way++;
  return item;
}

struct pubsub_ordering_item *pubsub_ordering_next(struct pubsub_ordering *ordering) {
  struct pubsub_ordering_item *item = take_place(&ordering->plain);
  return item ? item : take_place(&ordering->keyed);
}

/* Makes the first follower the key's head. The table does not grow: one entry leaves, one comes. */
static struct pubsub_ordering_item *promote(struct pubsub_ordering *ordering,
                                            struct pubsub_ordering_item *head) {
  if (head->key.len == 0) return NULL;
  pubsub_map_remove(&ordering->heads, &head->entry);
  if (pubsub_list_empty(&head->followers)) return NULL;
  struct pubsub_ordering_item *next = item_of(head->followers.next);
  pubsub_list_remove(&next->link);
  if (!pubsub_list_empty(&head->followers)) {
    next->followers = head->followers;
    next->followers.next->prev = next->followers.prev->next = &next->followers;
    pubsub_list_init(&head->followers);
  }
  (void)pubsub_map_insert(&ordering->heads, &next->entry, next->key);
  return next;
}

void pubsub_ordering_done(struct pubsub_ordering *ordering, struct pubsub_ordering_item *item) {
  places_of(ordering, item)->under_way--;
  struct pubsub_ordering_item *next = promote(ordering, item);
  if (next) pubsub_list_push_back(&ordering->keyed.ready, &next->link);
}

static void drop_all(struct pubsub_list *list,
                     void (*drop)(void *user, struct pubsub_ordering_item *item), void *user) {
  while (!pubsub_list_empty(list)) {
    struct pubsub_ordering_item *item = item_of(list->next);
    pubsub_list_remove(&item->link);
    drop(user, item);
  }
}

void pubsub_ordering_drop(struct pubsub_ordering *ordering,
                          void (*drop)(void *user, struct pubsub_ordering_item *item), void *user) {
  struct pubsub_map_iter iter = {0};
  for (struct pubsub_map_entry *entry; (entry = pubsub_map_next(&ordering->heads, &iter));) {
    struct pubsub_ordering_item *head =
        PUBSUB_CONTAINER_OF(entry, struct pubsub_ordering_item, entry);
    drop_all(&head->followers, drop, user);
    if (!pubsub_list_empty(&head->link)) pubsub_map_remove(&ordering->heads, entry);
  }
  drop_all(&ordering->plain.ready, drop, user);
  drop_all(&ordering->keyed.ready, drop, user);
}
