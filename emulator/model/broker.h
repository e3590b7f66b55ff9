/*
 * All topics, subscriptions, snapshots, schemas and policies, by name, and where a published
 * message goes. It stands on top of the model; api/ calls it. A store that survives a restart is
 * told of what changes here (journal.h). No network. Loop thread only.
 */
#ifndef EMULATOR_MODEL_BROKER_H
#define EMULATOR_MODEL_BROKER_H

#include "model/snapshot.h"
#include "model/topic.h"

struct faults;
struct token;

struct broker {
  struct world world;
  struct pubsub_map topics, subscriptions, snapshots;
  struct pubsub_map schemas;  /* schema.h */
  struct pubsub_map policies; /* policy.h */
  struct alarm sweep;         /* drops what its retention is over for, and what has expired */
  /* Not of the model, carried for those who hold a broker: the rules by which the server
   * misbehaves, and the token that calls must carry. */
  struct faults *faults;
  struct token *token;
  const char *(*push_key)(void *user); /* user: world.callbacks.user; PEM; NULL: no memory */
};

void broker_init(struct broker *broker, const struct clock_source *source, void *source_user,
                 const struct world_callbacks *callbacks);
/* Deletes all there is; consumers must have been ended. clear: the broker is not used any more. */
void broker_reset(struct broker *broker);
void broker_clear(struct broker *broker);
/* Moves the virtual clock; what is due then happens. False: it would be more than TIMES_MOST_US
 * ahead. */
bool broker_advance(struct broker *broker, uint64_t by_us);

struct topic *broker_topic(struct broker *broker, const char *name);
struct subscription *broker_subscription(struct broker *broker, const char *name);
struct snapshot *broker_snapshot(struct broker *broker, const char *name);
/* Take the config on success. NULL: no memory. The topic of a subscription is NULL where it was
 * deleted. */
struct topic *broker_add_topic(struct broker *broker, Google__Pubsub__V1__Topic *take_config);
struct subscription *broker_add_subscription(struct broker *broker, struct topic *topic,
                                             Google__Pubsub__V1__Subscription *take_config,
                                             struct filter *take_filter);
/* Its settings were changed in place. */
void broker_settings_changed(struct broker *broker, struct subscription *subscription);
/* With what the subscription has not acknowledged. */
struct snapshot *broker_add_snapshot(struct broker *broker, struct subscription *subscription,
                                     Google__Pubsub__V1__Snapshot *take_config);
/* With messages that are at hand; a store is not told. topic NULL: it was deleted. */
struct snapshot *broker_add_snapshot_of(struct broker *broker, struct topic *topic,
                                        struct pubsub_list *take_messages,
                                        Google__Pubsub__V1__Snapshot *take_config);
void broker_remove_topic(struct broker *broker, struct topic *topic);
/* Its consumers must have been ended. */
void broker_remove_subscription(struct broker *broker, struct subscription *subscription);
void broker_remove_snapshot(struct broker *broker, struct snapshot *snapshot);

/* Adds one message of a block to every subscription of the topic. A store is told of the block when
 * all of its messages were added (journal.h). Errors: NOMEM. */
enum pubsub_status broker_publish(struct broker *broker, struct topic *topic, struct block *block,
                                  uint32_t offset, uint32_t len, uint64_t id, int64_t time_us);

#endif
