/*
 * One subscription: its settings, where its messages are, who consumes them. What is done with a
 * message: backlog.h; with all of them: contents.h. Loop thread only.
 */
#ifndef EMULATOR_MODEL_SUBSCRIPTION_H
#define EMULATOR_MODEL_SUBSCRIPTION_H

#include "base/map.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "model/consumer.h"
#include "model/filter.h"
#include "model/message.h"
#include "model/world.h"

struct topic;

struct subscription {
  struct pubsub_map_entry entry;            /* key: config->name */
  Google__Pubsub__V1__Subscription *config; /* owned */
  struct world *world;
  struct topic *topic; /* NULL: deleted */
  struct pubsub_list topic_link;
  struct filter *filter;        /* NULL: everything */
  uint64_t serial;              /* part of ack ids: a namesake created later does not know them */
  struct pubsub_list ready;     /* of struct message, oldest first */
  size_t ready_count;           /* READY, ordered ones included */
  struct pubsub_map keys;       /* of struct ordering_key.entry */
  struct pubsub_list free_keys; /* those with something ready that anybody may have */
  struct message **slots;       /* lent messages; free ones are listed in free_slots */
  uint32_t *free_slots;
  uint32_t slot_count, free_count, slot_cap;
  struct dues dues;     /* leases and waits */
  size_t waiting_count; /* WAITING, ordered ones included */
  struct alarm expire;
  struct pubsub_list retained; /* acknowledged and kept for a seek */
  struct pubsub_list waiting;  /* of unordered WAITING messages */
  struct pubsub_list streams;  /* of struct consumer, in the order of their turns */
  struct pubsub_list pulls;    /* of struct consumer: those that end with their first message */
  struct pubsub_list stirred;  /* in world.stirred */
  uint64_t active_us;          /* virtual: when somebody last did something with it */
  bool detached;
  uint64_t number; /* a store's; 0: it does not know it */
  uint32_t record_name;
  uint64_t delivered_count, acknowledged_count; /* since it was made; redeliveries too */
};

/* Takes config and filter on success. NULL: no memory. */
struct subscription *subscription_new(struct world *world,
                                      Google__Pubsub__V1__Subscription *take_config,
                                      struct filter *take_filter);
/* It must be in no map, and of no topic; its consumers must have been ended. */
void subscription_free(struct subscription *subscription);
/* Somebody does something with it: it does not expire for a while. */
void subscription_touch(struct subscription *subscription);
/* Whether nobody did for as long as its expiration policy says. Whoever consumes does. */
bool subscription_is_over(struct subscription *subscription);
/* Whether its filter lets a message (an encoded PubsubMessage) pass. */
bool subscription_wants(const struct subscription *subscription, struct pubsub_view message);

static inline void subscription_note(struct subscription *subscription, enum record_kind kind,
                                     uint64_t message_id, uint32_t detail) {
  struct world *world = subscription->world;
  if (!world->record.on) return;
  record_add(&world->record, clock_wall_us(&world->clock), kind, subscription->record_name,
             message_id, detail);
}

#endif
