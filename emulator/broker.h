/*
 * Topics, subscriptions, snapshots: the state of the emulator, and where a published message goes. No network.
 * Loop thread only. What happens to a message of one subscription: backlog.h.
 *
 * A published message is kept as the bytes that arrived: a span of its Publish request's memory, which is shared
 * by all subscriptions and freed with the last message in it.
 */
#ifndef EMULATOR_BROKER_H
#define EMULATOR_BROKER_H

#include "dues.h"
#include "base/map.h"
#include "filter.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "google/pubsub/v1/schema.pb-c.h"
#include "net/loop.h"
#include "record.h"
#include "times.h"
#include "token.h"

struct faults;

struct broker {
  struct pubsub_loop *loop;
  struct pubsub_map topics, subscriptions, snapshots;
  struct pubsub_map schemas;  /* schemas.c */
  struct pubsub_map policies; /* iam.c */
  uint64_t next_message_id, next_serial;
  int64_t clock_offset_us;   /* a virtual clock: how far it is ahead */
  struct pubsub_timer sweep; /* drops what its retention is over for */
  struct record record;
  struct faults *faults;
  struct token token; /* that calls must carry */
};

/* The memory of one Publish request. */
struct block {
  size_t refs;
  struct pubsub_buf bytes;
};

/* One message as somebody keeps it: a subscription (backlog.h), a topic or a snapshot that retains it. */
struct message {
  struct pubsub_list link;
  struct due due;        /* broker time: end of the lease, or of the wait before a redelivery */
  struct block *block;   /* one reference */
  uint32_t offset, len;  /* the encoded PubsubMessage in the block */
  uint32_t slot;         /* while lent: index in backlog.slots */
  uint16_t attempts;     /* deliveries so far */
  uint8_t state;         /* enum message_state */
  uint64_t id, delivery; /* delivery: serial of the last one; part of its ack id */
  int64_t publish_time_us;
  struct consumer *consumer; /* while lent: whose flow limits it counts against; or NULL */
  struct ordering_key *key;  /* of an ordered message */
};

struct topic {
  struct pubsub_map_entry entry;     /* key: config->name */
  Google__Pubsub__V1__Topic *config; /* owned */
  struct pubsub_list subscriptions;  /* of struct subscription.topic_link */
  struct pubsub_list snapshots;      /* of struct snapshot.topic_link */
  struct pubsub_list retained;       /* of struct message, where the topic has a retention */
  uint32_t record_name;
};

struct snapshot {
  struct pubsub_map_entry entry;        /* key: config->name */
  Google__Pubsub__V1__Snapshot *config; /* owned */
  struct topic *topic;                  /* NULL: deleted */
  struct pubsub_list topic_link;
  struct pubsub_list messages; /* unacknowledged when it was taken, and all that came later */
};

struct subscription;

void broker_init(struct broker *broker, struct pubsub_loop *loop);
void broker_clear(struct broker *broker);
uint64_t broker_now_us(const struct broker *broker); /* monotonic, virtual */
int64_t broker_wall_us(const struct broker *broker); /* since 1970, virtual */
/* Moves the virtual clock. False: it would be more than TIMES_MOST_US ahead. */
bool broker_advance(struct broker *broker, uint64_t by_us);

struct topic *broker_topic(struct broker *broker, const char *name);
struct subscription *broker_subscription(struct broker *broker, const char *name);
struct snapshot *broker_snapshot(struct broker *broker, const char *name);
/* Take the config on success. NULL: no memory. */
struct topic *broker_add_topic(struct broker *broker, Google__Pubsub__V1__Topic *take_config);
struct subscription *broker_add_subscription(struct broker *broker, struct topic *topic,
                                             Google__Pubsub__V1__Subscription *take_config,
                                             struct filter *take_filter);
struct snapshot *broker_add_snapshot(struct broker *broker, struct topic *topic,
                                     Google__Pubsub__V1__Snapshot *take_config);
void broker_remove_topic(struct broker *broker, struct topic *topic);
/* Streams and pulls must have been ended. */
void broker_remove_subscription(struct broker *broker, struct subscription *subscription);
void broker_remove_snapshot(struct broker *broker, struct snapshot *snapshot);

/* Adds one message of a block to every subscription of the topic. Errors: NOMEM. */
enum pubsub_status broker_publish(struct broker *broker, struct topic *topic, struct block *block,
                                  uint32_t offset, uint32_t len, uint64_t id, int64_t time_us);
struct block *block_new(struct pubsub_buf *take_bytes);
void block_unref(struct block *block);

/* A copy that shares the block, not yet in any list. NULL: no memory. */
struct message *message_copy(const struct message *message);
void message_free(struct message *message);
/* Frees all of a list. */
void messages_free(struct pubsub_list *messages);

#endif
