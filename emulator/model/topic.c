#include "model/topic.h"

#include "base/alloc.h"
#include "model/journal.h"
#include "model/snapshot.h"
#include "model/times.h"

struct topic *topic_new(struct world *world, Google__Pubsub__V1__Topic *take_config) {
  struct topic *topic = pubsub_alloc_zero(1, sizeof *topic);
  if (!topic) return NULL;
  pubsub_list_init(&topic->subscriptions);
  pubsub_list_init(&topic->snapshots);
  pubsub_list_init(&topic->retained);
  topic->config = take_config;
  topic->world = world;
  topic->record_name = record_name(&world->record, take_config->name);
  return topic;
}

static void leave_subscriptions(struct topic *topic) {
  while (!pubsub_list_empty(&topic->subscriptions)) {
    struct subscription *subscription =
        PUBSUB_CONTAINER_OF(topic->subscriptions.next, struct subscription, topic_link);
    pubsub_list_remove(&subscription->topic_link);
    subscription->topic = NULL;
  }
}

static void leave_snapshots(struct topic *topic) {
  while (!pubsub_list_empty(&topic->snapshots)) {
    struct snapshot *snapshot =
        PUBSUB_CONTAINER_OF(topic->snapshots.next, struct snapshot, topic_link);
    pubsub_list_remove(&snapshot->topic_link);
    snapshot->topic = NULL;
  }
}

void topic_free(struct topic *topic) {
  leave_subscriptions(topic);
  leave_snapshots(topic);
  messages_free(&topic->retained);
  google__pubsub__v1__topic__free_unpacked(topic->config, NULL);
  pubsub_free(topic);
}

void topic_sweep(struct topic *topic, int64_t wall_us) {
  int64_t before = wall_us - times_duration_us(topic->config->message_retention_duration, 0);
  if (messages_sweep(&topic->retained, before)) JOURNAL(topic->world, swept, topic, before);
}
