/*
 * The messages of one subscription: lent, acknowledged, redelivered. No network. Loop thread only.
 *
 *   READY ── lent to a stream or pull ──▶ LENT ── acknowledged ──▶ freed, or retained
 *     ▲                                    │
 *     │                        deadline passed, nacked
 *     │                                    ▼
 *     └── backoff over ── WAITING ◀── retry policy │ dead letter topic: published there, dropped here
 *
 * Ordered messages stand in their key's line (ordering.c) instead of the ready list: in the line, lent and
 * acknowledged ones come first, then those that are READY, of which the first may WAIT.
 */
#ifndef EMULATOR_BACKLOG_H
#define EMULATOR_BACKLOG_H

#include "broker.h"

#define ACK_ID_BYTES 40

enum message_state { MESSAGE_READY, MESSAGE_LENT, MESSAGE_WAITING, MESSAGE_ACKNOWLEDGED };

/* Somebody messages are lent to: a StreamingPull or a Pull. Embedded in its state. */
struct consumer {
  struct pubsub_list link; /* in backlog.consumers */
  struct subscription *subscription;
  struct pubsub_list keys; /* ordering keys bound to it that have something ready */
  uint64_t outstanding_messages, outstanding_bytes;
};

struct ordering_key {
  struct pubsub_map_entry entry; /* key: `name` */
  struct pubsub_list link;       /* in backlog.keys, consumer.keys, or detached */
  struct pubsub_list line;       /* of struct message, in order */
  struct message *next;          /* the first that is not lent; NULL: none */
  struct consumer *owner;        /* who has the lent ones; NULL: it left, or nothing is lent */
  size_t lent;
  char name[];
};

struct subscription {
  struct pubsub_map_entry entry;            /* key: config->name */
  Google__Pubsub__V1__Subscription *config; /* owned */
  struct broker *broker;
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
  struct pubsub_timer expire;
  struct pubsub_list retained;    /* acknowledged and kept for a seek */
  struct pubsub_list waiting;     /* of unordered WAITING messages */
  struct pubsub_list consumers;   /* streams, in the order of their turns */
  struct pubsub_list pulls;       /* waiting Pull requests */
  struct pubsub_deferred deliver; /* run when there may be something to lend; set by delivery.c */
  bool detached;
  uint32_t record_name;
};

void consumer_init(struct consumer *consumer, struct subscription *subscription);

/* Adds a message (not in any list) as READY; it must have passed the filter. Takes it in any case. Errors: NOMEM. */
enum pubsub_status backlog_add(struct subscription *subscription, struct message *take_message);
/* Lends the next ready message until due_us. NULL: none for this consumer, or no memory. */
struct message *backlog_lend(struct subscription *subscription, struct consumer *consumer,
                             uint64_t due_us);
/* Takes back what was just lent, as if it had not been: it did not fit. */
void backlog_unlend(struct subscription *subscription, struct message *message);
void backlog_ack_id(const struct subscription *subscription, const struct message *message,
                    char out[ACK_ID_BYTES + 1]);
/* The lent message of an ack id. NULL: acknowledged, expired, or not ours. */
struct message *backlog_find(struct subscription *subscription, struct pubsub_view ack_id);
/* Whether an ack id could have been given out by this subscription. */
bool backlog_knows(const struct subscription *subscription, struct pubsub_view ack_id);
void backlog_acknowledge(struct subscription *subscription, struct message *message);
/* seconds 0: a nack. */
void backlog_set_deadline(struct subscription *subscription, struct message *message,
                          uint32_t seconds);
/* A consumer ends: what it holds stays lent until its deadline, counted against nobody. */
void backlog_forget(struct subscription *subscription, struct consumer *consumer);
/* The same for a consumer that knows what it holds. */
void backlog_release(struct consumer *consumer, struct message *const *lent, size_t count);
void backlog_wake(struct subscription *subscription);
/* Looks at the deadlines again, after the clock moved. */
void backlog_expire(struct subscription *subscription);
/* Drops what was published before wall_us, by its retention. */
void backlog_sweep(struct subscription *subscription, int64_t wall_us);
/* All messages, retained ones too, into `out` (capacity: backlog_count), nothing lent any more; the backlog is empty after it. */
size_t backlog_count(const struct subscription *subscription);
void backlog_take_all(struct subscription *subscription, struct pubsub_list *out);
void backlog_clear(struct subscription *subscription);

/* Between backlog.c and ordering.c. */
void backlog_take_back(struct subscription *subscription, struct message *message);
void backlog_retain_or_free(struct subscription *subscription, struct message *message);
enum pubsub_status ordering_add(struct subscription *subscription, struct message *message,
                                struct pubsub_view key);
/* The next message of a key that this consumer may have; it is LENT in its key's line after it. NULL: none. */
struct message *ordering_peek(struct subscription *subscription, struct consumer *consumer);
void ordering_lend(struct subscription *subscription, struct message *message,
                   struct consumer *consumer);
void ordering_acknowledge(struct subscription *subscription, struct message *message);
/* Readies the message and all behind it in its line. */
void ordering_rewind(struct subscription *subscription, struct message *message);
/* Removes a message of the line, whatever its state. */
void ordering_remove(struct subscription *subscription, struct message *message);
void ordering_place(struct subscription *subscription, struct ordering_key *key);

/* deadletter.c. True: it was published to the dead letter topic and is to be dropped. */
bool dead_letter(struct subscription *subscription, const struct message *message);

#endif
