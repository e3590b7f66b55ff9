#include "model/ordering.h"

#include "base/alloc.h"
#include "model/lending.h"
#include "model/ordering_key.h"
#include "model/retention.h"

static struct message *message_at(struct pubsub_list *link) {
  return PUBSUB_CONTAINER_OF(link, struct message, link);
}

void ordering_place(struct subscription *subscription, struct ordering_key *key) {
  pubsub_list_remove(&key->link);
  if (key->lent == 0) key->owner = NULL;
  if (!key->next || key->next->state != MESSAGE_READY) return;
  if (key->owner) {
    pubsub_list_push_back(&key->owner->keys, &key->link);
  } else if (key->lent == 0) {
    pubsub_list_push_back(&subscription->free_keys, &key->link);
  }
}

enum pubsub_status ordering_add(struct subscription *subscription, struct message *message,
                                struct pubsub_view name) {
  struct pubsub_map_entry *entry = pubsub_map_find(&subscription->keys, name);
  struct ordering_key *key = entry ? PUBSUB_CONTAINER_OF(entry, struct ordering_key, entry) : NULL;
  if (!key) {
    key = pubsub_alloc_zero(1, sizeof *key + name.len);
    if (!key) return PUBSUB_E_NOMEM;
    memcpy(key->name, name.ptr, name.len);
    pubsub_list_init(&key->line);
    pubsub_list_init(&key->link);
    if (pubsub_map_insert(&subscription->keys, &key->entry, pubsub_view_of(key->name, name.len)) !=
        PUBSUB_OK) {
      pubsub_free(key);
      return PUBSUB_E_NOMEM;
    }
  }
  message->key = key;
  pubsub_list_push_back(&key->line, &message->link);
  if (!key->next) {
    key->next = message;
    ordering_place(subscription, key);
  }
  return PUBSUB_OK;
}

struct message *ordering_peek(struct subscription *subscription, struct consumer *consumer) {
  struct pubsub_list *list = &consumer->keys;
  if (pubsub_list_empty(list)) list = &subscription->free_keys;
  if (pubsub_list_empty(list)) return NULL;
  return PUBSUB_CONTAINER_OF(list->next, struct ordering_key, link)->next;
}

static void step(struct ordering_key *key) {
  struct pubsub_list *after = key->next->link.next;
  key->next = after == &key->line ? NULL : message_at(after);
}

void ordering_lend(struct subscription *subscription, struct message *message,
                   struct consumer *consumer) {
  struct ordering_key *key = message->key;
  step(key);
  key->lent++;
  key->owner = consumer;
  ordering_place(subscription, key);
}

static void key_free_if_empty(struct subscription *subscription, struct ordering_key *key) {
  if (pubsub_list_empty(&key->line)) {
    pubsub_list_remove(&key->link);
    pubsub_map_remove(&subscription->keys, &key->entry);
    pubsub_free(key);
  } else {
    ordering_place(subscription, key);
  }
}

/* It stays in the line while an earlier one may still come again, and this one with it. */
void ordering_acknowledge(struct subscription *subscription, struct message *message) {
  struct ordering_key *key = message->key;
  message->state = MESSAGE_ACKNOWLEDGED;
  key->lent--;
  while (!pubsub_list_empty(&key->line)) {
    struct message *first = message_at(key->line.next);
    if (first->state != MESSAGE_ACKNOWLEDGED) break;
    pubsub_list_remove(&first->link);
    retention_retire(subscription, first);
  }
  key_free_if_empty(subscription, key);
}

void ordering_rewind(struct subscription *subscription, struct message *message) {
  struct ordering_key *key = message->key;
  for (struct message *at = message; at != key->next;) {
    if (at->state == MESSAGE_LENT) {
      lending_take_back(subscription, at);
      key->lent--;
    }
    at->state = MESSAGE_READY;
    subscription->ready_count++;
    if (at->link.next == &key->line) break;
    at = message_at(at->link.next);
  }
  key->next = message;
  ordering_place(subscription, key);
}

void ordering_remove(struct subscription *subscription, struct message *message) {
  struct ordering_key *key = message->key;
  if (key->next == message) step(key);
  pubsub_list_remove(&message->link);
  message_free(message);
  key_free_if_empty(subscription, key);
}
