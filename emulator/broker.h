/*
 * Topics, subscriptions and their messages: the state of the emulator. No network. Loop thread only.
 *
 * A published message is kept as the bytes that arrived: a span of its Publish request's memory, which is shared
 * by all subscriptions and freed with the last message in it. Per subscription, a message is an entry:
 *
 *   ready (in subscription.ready) ── lent to a stream or pull ──▶ outstanding (in the deadline heap)
 *     ▲                                                              │ acknowledged ─▶ freed
 *     └────────── deadline passed, deadline set to 0 ────────────────┘
 */
#ifndef EMULATOR_BROKER_H
#define EMULATOR_BROKER_H

#include "base/heap.h"
#include "base/map.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "net/loop.h"

#define ACK_ID_BYTES 40

struct broker {
  struct pubsub_loop *loop;
  struct pubsub_map topics, subscriptions;
  uint64_t next_message_id, next_serial;
};

struct topic {
  struct pubsub_map_entry entry;     /* key: config->name */
  Google__Pubsub__V1__Topic *config; /* owned */
  struct pubsub_list subscriptions;  /* of struct subscription.topic_link */
};

/* The memory of one Publish request. */
struct block {
  size_t refs;
  struct pubsub_buf bytes;
};

struct message {
  struct pubsub_list link;          /* in ready; detached while outstanding */
  struct pubsub_heap_node deadline; /* while outstanding: µs, monotonic */
  struct block *block;              /* one reference */
  uint32_t offset, len;             /* the encoded PubsubMessage in the block */
  uint32_t slot;                    /* while outstanding: index in subscription.slots */
  uint32_t attempts;                /* deliveries so far */
  uint64_t id, delivery;            /* delivery: serial of the last one; part of its ack id */
  int64_t publish_time_us;
  struct consumer *consumer; /* while outstanding: whose flow limits it counts against; or NULL */
};

/* Somebody messages are lent to: a StreamingPull. Embedded in its state. */
struct consumer {
  struct pubsub_list link; /* in subscription.consumers */
  struct subscription *subscription;
  uint64_t outstanding_messages, outstanding_bytes;
};

struct subscription {
  struct pubsub_map_entry entry;            /* key: config->name */
  Google__Pubsub__V1__Subscription *config; /* owned */
  struct broker *broker;
  struct topic *topic; /* NULL: deleted */
  struct pubsub_list topic_link;
  uint64_t serial;          /* part of ack ids: a namesake created later does not know them */
  struct pubsub_list ready; /* of struct message, oldest first */
  size_t ready_count;
  struct message **slots; /* outstanding messages; free ones form a list through free_slot */
  uint32_t *free_slots;
  uint32_t slot_count, free_count, slot_cap;
  struct pubsub_heap deadlines;
  struct pubsub_timer expire;
  struct pubsub_list consumers;   /* streams, in the order of their turns */
  struct pubsub_list pulls;       /* waiting Pull requests */
  struct pubsub_deferred deliver; /* run when there may be something to lend; set by delivery.c */
  bool detached;
};

void broker_init(struct broker *broker, struct pubsub_loop *loop);
void broker_clear(struct broker *broker);

struct topic *broker_topic(struct broker *broker, const char *name);
struct subscription *broker_subscription(struct broker *broker, const char *name);
/* Take the config on success. NULL: no memory. */
struct topic *broker_add_topic(struct broker *broker, Google__Pubsub__V1__Topic *take_config);
struct subscription *broker_add_subscription(struct broker *broker, struct topic *topic,
                                             Google__Pubsub__V1__Subscription *take_config);
void broker_remove_topic(struct broker *broker, struct topic *topic);
/* Streams and pulls must have been ended. */
void broker_remove_subscription(struct broker *broker, struct subscription *subscription);

/* Adds one message of a block to every subscription of the topic. Errors: NOMEM. */
enum pubsub_status broker_publish(struct broker *broker, struct topic *topic, struct block *block,
                                  uint32_t offset, uint32_t len, uint64_t id, int64_t time_us);
struct block *block_new(struct pubsub_buf *take_bytes);
void block_unref(struct block *block);

/* Lends the oldest ready message for deadline_us. NULL: none, or no memory. */
struct message *subscription_lend(struct subscription *subscription, struct consumer *consumer,
                                  uint64_t deadline_us);
void subscription_ack_id(const struct subscription *subscription, const struct message *message,
                         char out[ACK_ID_BYTES + 1]);
/* The outstanding message of an ack id. NULL: acknowledged, expired, or not ours. */
struct message *subscription_find(struct subscription *subscription, struct pubsub_view ack_id);
void subscription_acknowledge(struct subscription *subscription, struct message *message);
/* seconds 0: ready again at once. */
void subscription_set_deadline(struct subscription *subscription, struct message *message,
                               uint32_t seconds);
/* A stream ends: what it holds stays lent until its deadline, counted against nobody. */
void subscription_forget_consumer(struct subscription *subscription, struct consumer *consumer);
void subscription_wake(struct subscription *subscription);
/* Drops ready and outstanding messages. */
void subscription_purge(struct subscription *subscription);

#endif
