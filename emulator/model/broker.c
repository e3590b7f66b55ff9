#include "model/broker.h"

#include "model/backlog.h"
#include "model/contents.h"
#include "model/journal.h"
#include "model/policy.h"
#include "model/schema.h"

#define SWEEP_US 10000000
#define SWEPT_BYTES ((size_t)100) /* what a store needs to be told that something expired */

/* ---- life ---- */

static void on_sweep(struct alarm *alarm);

static void schedule_sweep(struct broker *broker) {
  struct clock *clock = &broker->world.clock;
  clock_alarm_set(clock, &broker->sweep, clock_now_us(clock) + SWEEP_US);
}

void broker_init(struct broker *broker, const struct clock_source *source, void *source_user,
                 const struct world_callbacks *callbacks) {
  *broker = (struct broker){.sweep.run = on_sweep};
  broker->world.callbacks = *callbacks;
  broker->world.next_message_id = broker->world.next_serial = 1;
  pubsub_list_init(&broker->world.stirred);
  clock_init(&broker->world.clock, source, source_user);
  pubsub_map_init(&broker->topics);
  pubsub_map_init(&broker->subscriptions);
  pubsub_map_init(&broker->snapshots);
  pubsub_map_init(&broker->schemas);
  pubsub_map_init(&broker->policies);
  schedule_sweep(broker);
}

void broker_reset(struct broker *broker) {
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
  schemas_clear(&broker->world, &broker->schemas);
  policies_clear(&broker->world, &broker->policies);
}

void broker_clear(struct broker *broker) {
  broker->world.journal = NULL; /* what a store keeps stays there */
  broker_reset(broker);
  pubsub_map_clear(&broker->topics);
  pubsub_map_clear(&broker->subscriptions);
  pubsub_map_clear(&broker->snapshots);
  record_free(&broker->world.record);
  clock_clear(&broker->world.clock);
}

/* ---- time ---- */

static void sweep(struct broker *broker) {
  int64_t now = clock_wall_us(&broker->world.clock);
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->subscriptions, &it))) {
    struct subscription *subscription = PUBSUB_CONTAINER_OF(entry, struct subscription, entry);
    if (subscription_is_over(subscription) && journal_reserve(&broker->world, SWEPT_BYTES)) {
      broker_remove_subscription(broker, subscription);
    } else {
      contents_sweep(subscription, now);
    }
  }
  it = (struct pubsub_map_iter){0};
  while ((entry = pubsub_map_next(&broker->topics, &it))) {
    topic_sweep(PUBSUB_CONTAINER_OF(entry, struct topic, entry), now);
  }
  it = (struct pubsub_map_iter){0};
  while ((entry = pubsub_map_next(&broker->snapshots, &it))) {
    struct snapshot *snapshot = PUBSUB_CONTAINER_OF(entry, struct snapshot, entry);
    if (snapshot_is_over(snapshot, now) && journal_reserve(&broker->world, SWEPT_BYTES))
      broker_remove_snapshot(broker, snapshot);
  }
}

static void on_sweep(struct alarm *alarm) {
  struct broker *broker = PUBSUB_CONTAINER_OF(alarm, struct broker, sweep);
  sweep(broker);
  schedule_sweep(broker);
}

bool broker_advance(struct broker *broker, uint64_t by_us) {
  if (!clock_advance(&broker->world.clock, by_us)) return false;
  JOURNAL(&broker->world, advanced);
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
  struct topic *topic = topic_new(&broker->world, take_config);
  if (topic && pubsub_map_insert(&broker->topics, &topic->entry,
                                 pubsub_view_str(take_config->name)) != PUBSUB_OK) {
    topic->config = NULL; /* the caller keeps it */
    topic_free(topic);
    return NULL;
  }
  if (topic) JOURNAL(&broker->world, topic, topic);
  return topic;
}

void broker_settings_changed(struct broker *broker, struct subscription *subscription) {
  const struct world_callbacks *callbacks = &broker->world.callbacks;
  JOURNAL(&broker->world, subscription, subscription);
  if (callbacks->on_settings) callbacks->on_settings(callbacks->user, subscription);
}

struct subscription *broker_add_subscription(struct broker *broker, struct topic *topic,
                                             Google__Pubsub__V1__Subscription *take_config,
                                             struct filter *take_filter) {
  struct subscription *subscription = subscription_new(&broker->world, take_config, take_filter);
  if (!subscription) return NULL;
  if (pubsub_map_insert(&broker->subscriptions, &subscription->entry,
                        pubsub_view_str(take_config->name)) != PUBSUB_OK) {
    subscription->config = NULL; /* the caller keeps both */
    subscription->filter = NULL;
    subscription_free(subscription);
    return NULL;
  }
  subscription->topic = topic;
  if (topic) pubsub_list_push_back(&topic->subscriptions, &subscription->topic_link);
  broker_settings_changed(broker, subscription);
  return subscription;
}

struct snapshot *broker_add_snapshot_of(struct broker *broker, struct topic *topic,
                                        struct pubsub_list *take_messages,
                                        Google__Pubsub__V1__Snapshot *take_config) {
  struct snapshot *snapshot = snapshot_new(take_config);
  if (!snapshot) return NULL;
  if (pubsub_map_insert(&broker->snapshots, &snapshot->entry, pubsub_view_str(take_config->name)) !=
      PUBSUB_OK) {
    snapshot->config = NULL; /* the caller keeps it */
    snapshot_free(snapshot);
    return NULL;
  }
  pubsub_list_move_all(&snapshot->messages, take_messages);
  snapshot->topic = topic;
  if (topic) pubsub_list_push_back(&topic->snapshots, &snapshot->topic_link);
  return snapshot;
}

struct snapshot *broker_add_snapshot(struct broker *broker, struct subscription *subscription,
                                     Google__Pubsub__V1__Snapshot *take_config) {
  struct pubsub_list messages;
  struct snapshot *snapshot = NULL;
  pubsub_list_init(&messages);
  if (contents_copy(subscription, &messages) == PUBSUB_OK) {
    snapshot = broker_add_snapshot_of(broker, subscription->topic, &messages, take_config);
  }
  messages_free(&messages);
  if (!snapshot) return NULL;
  JOURNAL(&broker->world, snapshot, snapshot);
  JOURNAL(&broker->world, copied, snapshot);
  return snapshot;
}

void broker_remove_topic(struct broker *broker, struct topic *topic) {
  JOURNAL(&broker->world, removed, topic->number);
  pubsub_map_remove(&broker->topics, &topic->entry);
  topic_free(topic);
}

void broker_remove_subscription(struct broker *broker, struct subscription *subscription) {
  JOURNAL(&broker->world, removed, subscription->number);
  pubsub_map_remove(&broker->subscriptions, &subscription->entry);
  pubsub_list_remove(&subscription->topic_link);
  subscription_free(subscription);
}

void broker_remove_snapshot(struct broker *broker, struct snapshot *snapshot) {
  JOURNAL(&broker->world, removed, snapshot->number);
  pubsub_map_remove(&broker->snapshots, &snapshot->entry);
  snapshot_free(snapshot);
}

/* ---- publishing ---- */

static enum pubsub_status give(struct subscription *subscription, const struct message *message) {
  if (subscription->detached || !subscription_wants(subscription, message_view(message))) {
    return PUBSUB_OK;
  }
  struct message *copy = message_copy(message);
  return copy ? backlog_add(subscription, copy) : PUBSUB_E_NOMEM;
}

enum pubsub_status broker_publish(struct broker *broker, struct topic *topic, struct block *block,
                                  uint32_t offset, uint32_t len, uint64_t id, int64_t time_us) {
  struct message message = {
      .block = block, .offset = offset, .len = len, .id = id, .publish_time_us = time_us};
  enum pubsub_status status = PUBSUB_OK;
  struct pubsub_list *link;
  record_add(&broker->world.record, time_us, RECORD_PUBLISH, topic->record_name, id, len);
  topic->published_count++;
  for (link = topic->subscriptions.next; link != &topic->subscriptions && status == PUBSUB_OK;
       link = link->next) {
    status = give(PUBSUB_CONTAINER_OF(link, struct subscription, topic_link), &message);
  }
  for (link = topic->snapshots.next; link != &topic->snapshots && status == PUBSUB_OK;
       link = link->next) {
    struct snapshot *snapshot = PUBSUB_CONTAINER_OF(link, struct snapshot, topic_link);
    status = message_keep(&snapshot->messages, &message);
  }
  if (topic->config->message_retention_duration && status == PUBSUB_OK) {
    status = message_keep(&topic->retained, &message);
  }
  return status;
}
