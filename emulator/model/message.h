/*
 * A published message, kept as the bytes that arrived: a span of its Publish request's memory,
 * which all that keep the message share and which is freed with the last message in it. Loop thread
 * only.
 *
 * Each that keeps it (a subscription's backlog, a topic or a snapshot that retains it) has a struct
 * message of its own.
 */
#ifndef EMULATOR_MODEL_MESSAGE_H
#define EMULATOR_MODEL_MESSAGE_H

#include "base/bytes.h"
#include "model/dues.h"

/* Where a store keeps a block; its own, told when the block goes. */
struct keeping {
  void (*on_block_freed)(struct keeping *keeping);
};

/* The memory of one Publish request: messages are its fields 2. */
struct block {
  size_t refs;
  struct pubsub_buf bytes;
  struct keeping *keeping; /* NULL: no store has it */
  struct block *whole;     /* the bytes are a part of this one's (one reference); NULL: its own */
};
/* Takes the bytes on success. NULL: no memory. */
struct block *block_new(struct pubsub_buf *take_bytes);
/* A part of the bytes of another, which stay as long as it does. NULL: no memory. */
struct block *block_within(struct block *whole, size_t offset, size_t len);
void block_unref(struct block *block);

enum message_state { MESSAGE_READY, MESSAGE_LENT, MESSAGE_WAITING, MESSAGE_ACKNOWLEDGED };

struct message {
  struct pubsub_list link;
  struct due due;        /* virtual time: end of the lease, or of the wait before a redelivery */
  struct block *block;   /* one reference */
  uint32_t offset, len;  /* the encoded PubsubMessage in the block */
  uint32_t slot;         /* while lent: index in subscription.slots */
  uint16_t attempts;     /* deliveries so far */
  uint8_t state;         /* enum message_state */
  uint64_t id, delivery; /* delivery: serial of the last one; part of its ack id */
  int64_t publish_time_us;
  struct consumer *consumer; /* while lent: whose flow limits it counts against; or NULL */
  struct ordering_key *key;  /* of an ordered message */
};

static inline struct pubsub_view message_view(const struct message *message) {
  return pubsub_view_of(message->block->bytes.ptr + message->offset, message->len);
}

/* A copy that shares the block, not yet in any list. NULL: no memory. */
struct message *message_copy(const struct message *message);
/* Puts a copy at the end of a list. Errors: NOMEM. */
enum pubsub_status message_keep(struct pubsub_list *list, const struct message *message);
void message_free(struct message *message);
void messages_free(struct pubsub_list *messages); /* all of a list */
/* Frees those at the head of a list, in the order of publishing, that are older. False: none. */
bool messages_sweep(struct pubsub_list *messages, int64_t before_us);

#endif
