/*
 * Finds the held row of a message, for exactly-once subscriptions: a message that comes again while
 * it is held brings a newer ack id, not a second row. For others, messages whose lease has ended
 * here (held: NULL), so that they are counted when they come again. Keyed by the message id as a
 * number, exact; ids that are not decimal numbers are not indexed. Loop thread only. Memory is the
 * store's, so that the budget counts it.
 */
#ifndef PUBSUB_SUB_HELD_INDEX_H
#define PUBSUB_SUB_HELD_INDEX_H

#include "base/bytes.h"
#include "batch/blocks.h"

struct pubsub_held;

struct pubsub_held_index {
  struct pubsub_blocks *blocks; /* borrowed */
  struct pubsub_held_place {
    uint64_t number;          /* 0: free */
    struct pubsub_held *held; /* NULL: nothing of it is held any more */
    uint32_t row;
  } * places; /* open addressing, at most three quarters full */
  size_t cap, count, block_bytes;
  uint64_t seed; /* of the hash: the service chooses the ids; 0: none drawn yet */
};

/* The message id as a number. 0: it is not one (or not written as numbers are). */
uint64_t pubsub_message_number(struct pubsub_view message_id);
/* The message is at this place from now on. Errors: NOMEM: it is not indexed. */
enum pubsub_status pubsub_held_index_set(struct pubsub_held_index *index, uint64_t number,
                                         struct pubsub_held *held, uint32_t row);
/* NULL: not held. Valid until the next change. */
const struct pubsub_held_place *pubsub_held_index_find(const struct pubsub_held_index *index,
                                                       uint64_t number);
/* Forgets the message, if it is (still) at this chunk. */
void pubsub_held_index_remove(struct pubsub_held_index *index, uint64_t number,
                              const struct pubsub_held *held);
void pubsub_held_index_clear(struct pubsub_held_index *index);

#endif
