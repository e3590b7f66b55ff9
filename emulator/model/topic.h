/* One topic: its settings, who is subscribed, what it retains. Loop thread only. */
#ifndef EMULATOR_MODEL_TOPIC_H
#define EMULATOR_MODEL_TOPIC_H

#include "model/subscription.h"

struct topic {
  struct pubsub_map_entry entry;     /* key: config->name */
  Google__Pubsub__V1__Topic *config; /* owned */
  struct world *world;
  struct pubsub_list subscriptions; /* of struct subscription.topic_link */
  struct pubsub_list snapshots;     /* of struct snapshot.topic_link */
  struct pubsub_list retained;      /* of struct message, where the topic has a retention */
  uint32_t record_name;
  uint64_t number;          /* a store's; 0: it does not know it */
  uint64_t published_count; /* since it was made */
};

/* Takes the config on success. NULL: no memory. */
struct topic *topic_new(struct world *world, Google__Pubsub__V1__Topic *take_config);
/* It must be in no map. Its subscriptions and snapshots stay, without a topic. */
void topic_free(struct topic *topic);
/* What the topic retains is not for longer than its setting says. */
void topic_sweep(struct topic *topic, int64_t wall_us);

#endif
