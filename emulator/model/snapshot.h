/* One snapshot: what a subscription had not acknowledged when it was taken, and all that came
 * later. */
#ifndef EMULATOR_MODEL_SNAPSHOT_H
#define EMULATOR_MODEL_SNAPSHOT_H

#include "base/map.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "model/message.h"

struct topic;

struct snapshot {
  struct pubsub_map_entry entry;        /* key: config->name */
  Google__Pubsub__V1__Snapshot *config; /* owned; has an expire_time */
  struct topic *topic;                  /* NULL: deleted */
  struct pubsub_list topic_link;
  struct pubsub_list messages; /* in the order of publishing */
  uint64_t number;             /* a store's; 0: it does not know it */
};

/* Takes the config on success. NULL: no memory. */
struct snapshot *snapshot_new(Google__Pubsub__V1__Snapshot *take_config);
/* It must be in no map. */
void snapshot_free(struct snapshot *snapshot);
bool snapshot_is_over(const struct snapshot *snapshot, int64_t wall_us);

#endif
