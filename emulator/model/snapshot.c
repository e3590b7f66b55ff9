#include "model/snapshot.h"

#include "base/alloc.h"
#include "model/times.h"

struct snapshot *snapshot_new(Google__Pubsub__V1__Snapshot *take_config) {
  struct snapshot *snapshot = pubsub_alloc_zero(1, sizeof *snapshot);
  if (!snapshot) return NULL;
  snapshot->config = take_config;
  pubsub_list_init(&snapshot->topic_link);
  pubsub_list_init(&snapshot->messages);
  return snapshot;
}

void snapshot_free(struct snapshot *snapshot) {
  messages_free(&snapshot->messages);
  pubsub_list_remove(&snapshot->topic_link);
  google__pubsub__v1__snapshot__free_unpacked(snapshot->config, NULL);
  pubsub_free(snapshot);
}

bool snapshot_is_over(const struct snapshot *snapshot, int64_t wall_us) {
  return times_timestamp_us(snapshot->config->expire_time) < wall_us;
}
