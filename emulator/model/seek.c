#include "model/seek.h"

#include "base/alloc.h"
#include "model/backlog.h"
#include "model/contents.h"
#include "model/journal.h"
#include "model/retention.h"
#include "model/topic.h"
#include <stdlib.h>

struct sorted {
  struct message **messages;
  size_t count, cap;
};

static bool put(struct sorted *sorted, struct message *message) {
  if (sorted->count == sorted->cap) {
    size_t cap = sorted->cap ? sorted->cap * 2 : 256;
    void *messages = pubsub_realloc(sorted->messages, cap * sizeof *sorted->messages);
    if (!messages) return false;
    sorted->messages = messages;
    sorted->cap = cap;
  }
  sorted->messages[sorted->count++] = message;
  return true;
}

static int by_id(const void *a, const void *b) {
  const struct message *x = *(struct message *const *)a, *y = *(struct message *const *)b;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* Copies of `from` that are at least at_us old and that the filter passes. */
static void add_copies(struct subscription *subscription, struct sorted *sorted,
                       const struct pubsub_list *from, int64_t at_us) {
  for (struct pubsub_list *link = from->next; link != from; link = link->next) {
    struct message *message = PUBSUB_CONTAINER_OF(link, struct message, link);
    if (message->publish_time_us < at_us ||
        !subscription_wants(subscription, message_view(message)))
      continue;
    struct message *copy = message_copy(message);
    if (copy && !put(sorted, copy)) message_free(copy);
  }
}

/* Everything the subscription holds, and what its topic retains for it. */
static void gather(struct subscription *subscription, struct sorted *sorted, int64_t at_us) {
  struct pubsub_list all;
  pubsub_list_init(&all);
  contents_take_all(subscription, &all);
  while (!pubsub_list_empty(&all)) {
    struct message *message = PUBSUB_CONTAINER_OF(all.next, struct message, link);
    pubsub_list_remove(&message->link);
    if (!put(sorted, message)) message_free(message);
  }
  if (subscription->topic) add_copies(subscription, sorted, &subscription->topic->retained, at_us);
  if (sorted->count > 1) {
    qsort(sorted->messages, sorted->count, sizeof(struct message *), by_id);
  }
}

void seek_to_time(struct subscription *subscription, int64_t at_us) {
  struct sorted sorted = {0};
  uint64_t last_id = 0;
  gather(subscription, &sorted, at_us);
  for (size_t i = 0; i < sorted.count; i++) {
    struct message *message = sorted.messages[i];
    if (message->id == last_id) {
      message_free(message); /* the topic has it too */
      continue;
    }
    last_id = message->id;
    message->attempts = 0;
    if (message->publish_time_us >= at_us) {
      backlog_add(subscription, message);
    } else {
      retention_retire(subscription, message);
    }
  }
  pubsub_free(sorted.messages);
  JOURNAL(subscription->world, sought, subscription);
}

void seek_to_snapshot(struct subscription *subscription, const struct snapshot *snapshot) {
  struct sorted held = {0}, wanted = {0};
  add_copies(subscription, &wanted, &snapshot->messages, INT64_MIN);
  gather(subscription, &held, INT64_MAX);
  size_t at = 0;
  for (size_t i = 0; i < held.count; i++) {
    struct message *message = held.messages[i];
    while (at < wanted.count && wanted.messages[at]->id < message->id)
      at++;
    if (at < wanted.count && wanted.messages[at]->id == message->id) {
      message_free(message);
    } else {
      retention_retire(subscription, message);
    }
  }
  for (size_t i = 0; i < wanted.count; i++)
    backlog_add(subscription, wanted.messages[i]);
  pubsub_free(held.messages);
  pubsub_free(wanted.messages);
  JOURNAL(subscription->world, sought, subscription);
}
