#include "broker.h"

#include "backlog.h"
#include "base/alloc.h"
#include "base/clock.h"

#define SWEEP_US 10000000

static void on_sweep(struct pubsub_timer *timer);

void broker_init(struct broker *broker, struct pubsub_loop *loop) {
  *broker =
      (struct broker){.loop = loop, .next_message_id = 1, .next_serial = 1, .sweep.run = on_sweep};
  pubsub_map_init(&broker->topics);
  pubsub_map_init(&broker->subscriptions);
  pubsub_map_init(&broker->snapshots);
  pubsub_map_init(&broker->schemas);
  pubsub_map_init(&broker->policies);
  pubsub_loop_timer_set(loop, &broker->sweep, pubsub_loop_now_us(loop) + SWEEP_US);
}

void broker_clear(struct broker *broker) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->subscriptions, &it))) {
    broker_remove_subscription(broker, PUBSUB_CONTAINER_OF(entry, struct subscription, entry));
  }
  it = (struct pubsub_map_iter){0};
  while ((entry = pubsub_map_next(&broker->snapshots, &it))) {
    broker_remove_snapshot(broker, PUBSUB_CONTAINER_OF(entry, struct snapshot, entry));
  }
  it = (struct pubsub_map_iter){0};
  while ((entry = pubsub_map_next(&broker->topics, &it))) {
    broker_remove_topic(broker, PUBSUB_CONTAINER_OF(entry, struct topic, entry));
  }
  pubsub_map_clear(&broker->topics);
  pubsub_map_clear(&broker->subscriptions);
  pubsub_map_clear(&broker->snapshots);
  pubsub_loop_timer_cancel(broker->loop, &broker->sweep);
  record_free(&broker->record);
}

/* ---- time ---- */

uint64_t broker_now_us(const struct broker *broker) {
  return pubsub_loop_now_us(broker->loop) + (uint64_t)broker->clock_offset_us;
}

int64_t broker_wall_us(const struct broker *broker) {
  return pubsub_clock_wall_us() + broker->clock_offset_us;
}

static void messages_sweep(struct pubsub_list *messages, int64_t before_us) {
  while (!pubsub_list_empty(messages)) {
    struct message *message = PUBSUB_CONTAINER_OF(messages->next, struct message, link);
    if (message->publish_time_us >= before_us) return;
    pubsub_list_remove(&message->link);
    message_free(message);
  }
}

static void sweep(struct broker *broker) {
  int64_t now = broker_wall_us(broker);
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->subscriptions, &it))) {
    backlog_sweep(PUBSUB_CONTAINER_OF(entry, struct subscription, entry), now);
  }
  it = (struct pubsub_map_iter){0};
  while ((entry = pubsub_map_next(&broker->topics, &it))) {
    struct topic *topic = PUBSUB_CONTAINER_OF(entry, struct topic, entry);
    messages_sweep(&topic->retained,
                   now - times_duration_us(topic->config->message_retention_duration, 0));
  }
  it = (struct pubsub_map_iter){0};
  while ((entry = pubsub_map_next(&broker->snapshots, &it))) {
    struct snapshot *snapshot = PUBSUB_CONTAINER_OF(entry, struct snapshot, entry);
    if (snapshot->config->expire_time->seconds < now / 1000000) {
      broker_remove_snapshot(broker, snapshot);
    }
  }
}

static void on_sweep(struct pubsub_timer *timer) {
  struct broker *broker = PUBSUB_CONTAINER_OF(timer, struct broker, sweep);
  sweep(broker);
  pubsub_loop_timer_set(broker->loop, timer, pubsub_loop_now_us(broker->loop) + SWEEP_US);
}

bool broker_advance(struct broker *broker, uint64_t by_us) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  if (by_us > (uint64_t)(TIMES_MOST_US - broker->clock_offset_us)) return false;
  broker->clock_offset_us += (int64_t)by_us;
  while ((entry = pubsub_map_next(&broker->subscriptions, &it))) {
    backlog_expire(PUBSUB_CONTAINER_OF(entry, struct subscription, entry));
  }
  sweep(broker);
  return true;
}

/* ---- topics, subscriptions, snapshots ---- */

struct topic *broker_topic(struct broker *broker, const char *name) {
  struct pubsub_map_entry *entry = pubsub_map_find(&broker->topics, pubsub_view_str(name));
  return entry ? PUBSUB_CONTAINER_OF(entry, struct topic, entry) : NULL;
}

struct subscription *broker_subscription(struct broker *broker, const char *name) {
  struct pubsub_map_entry *entry = pubsub_map_find(&broker->subscriptions, pubsub_view_str(name));
  return entry ? PUBSUB_CONTAINER_OF(entry, struct subscription, entry) : NULL;
}

struct snapshot *broker_snapshot(struct broker *broker, const char *name) {
  struct pubsub_map_entry *entry = pubsub_map_find(&broker->snapshots, pubsub_view_str(name));
  return entry ? PUBSUB_CONTAINER_OF(entry, struct snapshot, entry) : NULL;
}

struct topic *broker_add_topic(struct broker *broker, Google__Pubsub__V1__Topic *take_config) {
  struct topic *topic = pubsub_alloc_zero(1, sizeof *topic);
  if (!topic) return NULL;
  pubsub_list_init(&topic->subscriptions);
  pubsub_list_init(&topic->snapshots);
  pubsub_list_init(&topic->retained);
  if (pubsub_map_insert(&broker->topics, &topic->entry, pubsub_view_str(take_config->name)) !=
      PUBSUB_OK) {
    pubsub_free(topic);
    return NULL;
  }
  topic->config = take_config;
  topic->record_name = record_name(&broker->record, take_config->name);
  return topic;
}

static void on_expire(struct pubsub_timer *timer) {
  backlog_expire(PUBSUB_CONTAINER_OF(timer, struct subscription, expire));
}

struct subscription *broker_add_subscription(struct broker *broker, struct topic *topic,
                                             Google__Pubsub__V1__Subscription *take_config,
                                             struct filter *take_filter) {
  struct subscription *subscription = pubsub_alloc_zero(1, sizeof *subscription);
  if (!subscription) return NULL;
  if (pubsub_map_insert(&broker->subscriptions, &subscription->entry,
                        pubsub_view_str(take_config->name)) != PUBSUB_OK) {
    pubsub_free(subscription);
    return NULL;
  }
  subscription->config = take_config;
  subscription->filter = take_filter;
  subscription->broker = broker;
  subscription->topic = topic;
  subscription->serial = broker->next_serial++;
  subscription->record_name = record_name(&broker->record, take_config->name);
  subscription->expire.run = on_expire;
  pubsub_map_init(&subscription->keys);
  pubsub_map_init(&subscription->dues.buckets);
  pubsub_list_init(&subscription->free_keys);
  pubsub_list_init(&subscription->ready);
  pubsub_list_init(&subscription->waiting);
  pubsub_list_init(&subscription->retained);
  pubsub_list_init(&subscription->consumers);
  pubsub_list_init(&subscription->pulls);
  pubsub_list_init(&subscription->deliver.link);
  pubsub_list_push_back(&topic->subscriptions, &subscription->topic_link);
  return subscription;
}

struct snapshot *broker_add_snapshot(struct broker *broker, struct topic *topic,
                                     Google__Pubsub__V1__Snapshot *take_config) {
  struct snapshot *snapshot = pubsub_alloc_zero(1, sizeof *snapshot);
  if (!snapshot) return NULL;
  if (pubsub_map_insert(&broker->snapshots, &snapshot->entry, pubsub_view_str(take_config->name)) !=
      PUBSUB_OK) {
    pubsub_free(snapshot);
    return NULL;
  }
  snapshot->config = take_config;
  snapshot->topic = topic;
  pubsub_list_init(&snapshot->messages);
  pubsub_list_push_back(&topic->snapshots, &snapshot->topic_link);
  return snapshot;
}

void broker_remove_topic(struct broker *broker, struct topic *topic) {
  while (!pubsub_list_empty(&topic->subscriptions)) {
    struct subscription *subscription =
        PUBSUB_CONTAINER_OF(topic->subscriptions.next, struct subscription, topic_link);
    pubsub_list_remove(&subscription->topic_link);
    subscription->topic = NULL;
  }
  while (!pubsub_list_empty(&topic->snapshots)) {
    struct snapshot *snapshot =
        PUBSUB_CONTAINER_OF(topic->snapshots.next, struct snapshot, topic_link);
    pubsub_list_remove(&snapshot->topic_link);
    snapshot->topic = NULL;
  }
  messages_free(&topic->retained);
  pubsub_map_remove(&broker->topics, &topic->entry);
  google__pubsub__v1__topic__free_unpacked(topic->config, NULL);
  pubsub_free(topic);
}

void broker_remove_subscription(struct broker *broker, struct subscription *subscription) {
  backlog_clear(subscription);
  pubsub_loop_timer_cancel(broker->loop, &subscription->expire);
  pubsub_loop_defer_cancel(broker->loop, &subscription->deliver);
  if (subscription->topic) pubsub_list_remove(&subscription->topic_link);
  pubsub_map_remove(&broker->subscriptions, &subscription->entry);
  pubsub_map_clear(&subscription->keys);
  google__pubsub__v1__subscription__free_unpacked(subscription->config, NULL);
  filter_free(subscription->filter);
  dues_clear(&subscription->dues);
  pubsub_free(subscription->slots);
  pubsub_free(subscription->free_slots);
  pubsub_free(subscription);
}

void broker_remove_snapshot(struct broker *broker, struct snapshot *snapshot) {
  messages_free(&snapshot->messages);
  if (snapshot->topic) pubsub_list_remove(&snapshot->topic_link);
  pubsub_map_remove(&broker->snapshots, &snapshot->entry);
  google__pubsub__v1__snapshot__free_unpacked(snapshot->config, NULL);
  pubsub_free(snapshot);
}

/* ---- publishing ---- */

struct block *block_new(struct pubsub_buf *take_bytes) {
  struct block *block = pubsub_alloc(sizeof *block);
  if (!block) return NULL;
  block->refs = 1;
  block->bytes = *take_bytes;
  *take_bytes = (struct pubsub_buf){0};
  return block;
}

void block_unref(struct block *block) {
  if (--block->refs > 0) return;
  pubsub_buf_clear(&block->bytes);
  pubsub_free(block);
}

struct message *message_copy(const struct message *message) {
  struct message *copy = pubsub_alloc(sizeof *copy);
  if (!copy) return NULL;
  *copy = (struct message){.block = message->block,
                           .offset = message->offset,
                           .len = message->len,
                           .id = message->id,
                           .publish_time_us = message->publish_time_us};
  pubsub_list_init(&copy->link);
  pubsub_list_init(&copy->due.link);
  copy->block->refs++;
  return copy;
}

void message_free(struct message *message) {
  block_unref(message->block);
  pubsub_free(message);
}

void messages_free(struct pubsub_list *messages) {
  while (!pubsub_list_empty(messages)) {
    struct message *message = PUBSUB_CONTAINER_OF(messages->next, struct message, link);
    pubsub_list_remove(&message->link);
    message_free(message);
  }
}

static enum pubsub_status keep(struct pubsub_list *list, const struct message *message) {
  struct message *copy = message_copy(message);
  if (!copy) return PUBSUB_E_NOMEM;
  pubsub_list_push_back(list, &copy->link);
  return PUBSUB_OK;
}

enum pubsub_status broker_publish(struct broker *broker, struct topic *topic, struct block *block,
                                  uint32_t offset, uint32_t len, uint64_t id, int64_t time_us) {
  struct message message = {
      .block = block, .offset = offset, .len = len, .id = id, .publish_time_us = time_us};
  enum pubsub_status status = PUBSUB_OK;
  struct pubsub_list *link;
  record_add(&broker->record, time_us, RECORD_PUBLISH, topic->record_name, id, len);
  for (link = topic->subscriptions.next; link != &topic->subscriptions && status == PUBSUB_OK;
       link = link->next) {
    struct subscription *subscription = PUBSUB_CONTAINER_OF(link, struct subscription, topic_link);
    if (subscription->detached) continue;
    if (subscription->filter &&
        !filter_matches(subscription->filter, pubsub_view_of(block->bytes.ptr + offset, len))) {
      continue;
    }
    struct message *copy = message_copy(&message);
    status = copy ? backlog_add(subscription, copy) : PUBSUB_E_NOMEM;
  }
  for (link = topic->snapshots.next; link != &topic->snapshots && status == PUBSUB_OK;
       link = link->next) {
    status = keep(&PUBSUB_CONTAINER_OF(link, struct snapshot, topic_link)->messages, &message);
  }
  if (topic->config->message_retention_duration && status == PUBSUB_OK) {
    status = keep(&topic->retained, &message);
  }
  return status;
}
