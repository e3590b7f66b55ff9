#include "model/contents.h"

#include "base/alloc.h"
#include "model/journal.h"
#include "model/lending.h"
#include "model/ordering.h"
#include "model/ordering_key.h"
#include "model/retention.h"
#include <stdlib.h>

static struct message *message_at(struct pubsub_list *link) {
  return PUBSUB_CONTAINER_OF(link, struct message, link);
}

size_t contents_count(const struct subscription *subscription) {
  size_t lent = subscription->slot_count - subscription->free_count;
  return subscription->ready_count + lent + subscription->waiting_count;
}

/* ---- copied, in order ---- */

struct gathering {
  const struct message **all;
  size_t count, cap;
};

static void gather_list(struct gathering *gathering, const struct pubsub_list *list) {
  for (const struct pubsub_list *link = list->next; link != list; link = link->next) {
    const struct message *message = PUBSUB_CONTAINER_OF(link, struct message, link);
    if (message->state != MESSAGE_ACKNOWLEDGED && gathering->count < gathering->cap) {
      gathering->all[gathering->count++] = message;
    }
  }
}

/* Lent ones that are ordered stand in their key's line. */
static void gather_lent(struct gathering *gathering, const struct subscription *subscription) {
  for (uint32_t i = 0; i < subscription->slot_count && gathering->count < gathering->cap; i++) {
    const struct message *message = subscription->slots[i];
    if (message && !message->key) gathering->all[gathering->count++] = message;
  }
}

static void gather_keys(struct gathering *gathering, const struct subscription *subscription) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&subscription->keys, &it))) {
    gather_list(gathering, &PUBSUB_CONTAINER_OF(entry, struct ordering_key, entry)->line);
  }
}

static int by_id(const void *a, const void *b) {
  const struct message *x = *(const struct message *const *)a,
                       *y = *(const struct message *const *)b;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* All that are not acknowledged, borrowed; the caller frees `all`. False: no memory. */
static bool gather(struct gathering *gathering, const struct subscription *subscription) {
  *gathering = (struct gathering){.cap = contents_count(subscription)};
  gathering->all = pubsub_alloc((gathering->cap + 1) * sizeof *gathering->all);
  if (!gathering->all) return false;
  gather_list(gathering, &subscription->ready);
  gather_list(gathering, &subscription->waiting);
  gather_lent(gathering, subscription);
  gather_keys(gathering, subscription);
  return true;
}

enum pubsub_status contents_copy(const struct subscription *subscription, struct pubsub_list *out) {
  struct gathering gathering;
  enum pubsub_status status = PUBSUB_OK;
  if (!gather(&gathering, subscription)) return PUBSUB_E_NOMEM;
  if (gathering.count > 1) qsort(gathering.all, gathering.count, sizeof *gathering.all, by_id);
  for (size_t i = 0; i < gathering.count && status == PUBSUB_OK; i++)
    status = message_keep(out, gathering.all[i]);
  pubsub_free(gathering.all);
  return status;
}

int64_t contents_oldest_us(const struct subscription *subscription) {
  struct gathering gathering;
  int64_t oldest_us = INT64_MAX;
  if (!gather(&gathering, subscription)) return oldest_us;
  for (size_t i = 0; i < gathering.count; i++) {
    if (gathering.all[i]->publish_time_us < oldest_us) {
      oldest_us = gathering.all[i]->publish_time_us;
    }
  }
  pubsub_free(gathering.all);
  return oldest_us;
}

/* ---- visited ---- */

static void visit_list(const struct pubsub_list *list,
                       void (*visit)(void *user, const struct message *message), void *user) {
  for (const struct pubsub_list *link = list->next; link != list; link = link->next)
    visit(user, PUBSUB_CONTAINER_OF(link, struct message, link));
}

void contents_visit(const struct subscription *subscription,
                    void (*visit)(void *user, const struct message *message), void *user) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  visit_list(&subscription->retained, visit, user);
  for (uint32_t i = 0; i < subscription->slot_count; i++) {
    const struct message *message = subscription->slots[i];
    if (message && !message->key) visit(user, message);
  }
  while ((entry = pubsub_map_next(&subscription->keys, &it))) {
    visit_list(&PUBSUB_CONTAINER_OF(entry, struct ordering_key, entry)->line, visit, user);
  }
  visit_list(&subscription->waiting, visit, user);
  visit_list(&subscription->ready, visit, user);
}

/* ---- taken ---- */

void contents_take_all(struct subscription *subscription, struct pubsub_list *out) {
  for (uint32_t i = 0; i < subscription->slot_count; i++) {
    struct message *message = subscription->slots[i];
    if (!message) continue;
    lending_take_back(subscription, message);
    if (!message->key) pubsub_list_push_back(out, &message->link);
  }
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&subscription->keys, &it))) {
    struct ordering_key *key = PUBSUB_CONTAINER_OF(entry, struct ordering_key, entry);
    pubsub_list_move_all(out, &key->line);
    pubsub_list_remove(&key->link);
    pubsub_map_remove(&subscription->keys, &key->entry);
    pubsub_free(key);
  }
  pubsub_list_move_all(out, &subscription->waiting);
  pubsub_list_move_all(out, &subscription->ready);
  pubsub_list_move_all(out, &subscription->retained);
  for (struct pubsub_list *link = out->next; link != out; link = link->next) {
    struct message *message = message_at(link);
    dues_remove(&message->due);
    message->key = NULL;
  }
  subscription->ready_count = subscription->waiting_count = 0;
}

void contents_clear(struct subscription *subscription) {
  struct pubsub_list all;
  pubsub_list_init(&all);
  contents_take_all(subscription, &all);
  messages_free(&all);
}

/* ---- swept ---- */

/* In the order of their publishing, near enough: stops at the first that is younger. */
static void sweep(struct subscription *subscription, struct pubsub_list *list, int64_t before_us) {
  while (!pubsub_list_empty(list)) {
    struct message *message = message_at(list->next);
    if (message->publish_time_us >= before_us) return;
    JOURNAL(subscription->world, settled, subscription, message->id, false);
    if (message->state == MESSAGE_READY) subscription->ready_count--;
    if (message->state == MESSAGE_WAITING) subscription->waiting_count--;
    dues_remove(&message->due);
    pubsub_list_remove(&message->link);
    message_free(message);
  }
}

void contents_sweep(struct subscription *subscription, int64_t wall_us) {
  int64_t before = retention_begins_us(subscription, wall_us);
  sweep(subscription, &subscription->ready, before);
  sweep(subscription, &subscription->waiting, before);
  sweep(subscription, &subscription->retained, before);
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&subscription->keys, &it))) {
    struct ordering_key *key = PUBSUB_CONTAINER_OF(entry, struct ordering_key, entry);
    struct message *first = message_at(key->line.next);
    if (first->state == MESSAGE_READY && first->publish_time_us < before) {
      JOURNAL(subscription->world, settled, subscription, first->id, false);
      subscription->ready_count--;
      ordering_remove(subscription, first);
    }
  }
}
