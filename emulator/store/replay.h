/*
 * What the entries of a store amount to: topics, subscriptions and snapshots with their settings
 * (packed) and the ids of their messages, and the blocks that these lie in. Schemas and policies
 * go into the broker at once. Nothing is read or written here. Loop thread only.
 */
#ifndef EMULATOR_STORE_REPLAY_H
#define EMULATOR_STORE_REPLAY_H

#include "model/broker.h"
#include "store/holdings.h"
#include "store/log.h"

enum holder_kind { HOLDER_TOPIC, HOLDER_SUBSCRIPTION, HOLDER_SNAPSHOT };

struct holder {
  struct pubsub_map_entry entry; /* in replay.holders; key: number */
  uint64_t number;
  enum holder_kind kind;
  struct pubsub_list link;    /* in replay.all, in the order of numbers */
  struct pubsub_list member;  /* of a subscription or snapshot, in its topic's members */
  struct pubsub_list members; /* of a topic */
  struct holder *topic;       /* NULL: deleted */
  struct pubsub_buf config;   /* packed */
  struct filter *filter;      /* of a subscription */
  bool takes;                 /* published messages: not detached; a topic: it has a retention */
  struct holdings holdings;
};

/* A block of messages with ids from first_id on. */
struct loaded {
  uint64_t first_id;
  size_t count;
  int64_t time_us;
  struct block *block;           /* one reference; NULL: not read (yet) */
  uint64_t segment, offset, len; /* where it lies */
};

struct replay {
  struct broker *broker;
  struct pubsub_map holders;
  struct pubsub_list all;
  struct loaded *blocks; /* in the order of ids, once replay_sort was called */
  size_t block_count, block_cap;
  uint64_t starts, next_message_id, next_number, ahead_us;
  bool ended; /* a checkpoint is whole */
};

void replay_init(struct replay *replay, struct broker *broker);
void replay_clear(struct replay *replay);
/* The entries of a frame of a file. `segment`: where blocks of it are to be kept, NULL: in a
 * checkpoint. `file`: the whole of it, whose memory large blocks share, and the payload's offset in
 * it. Errors: INVALID (not entries), NOMEM. */
enum pubsub_status replay_frame(struct replay *replay, struct pubsub_view payload,
                                struct segment *segment, struct block *file, uint64_t payload_at);
/* The bytes of a block, at their offset in a file. Errors: NOMEM. */
enum pubsub_status replay_take(struct loaded *loaded, struct segment *segment, struct block *file,
                               uint64_t offset, size_t len);
/* By ids, after a checkpoint was read. */
void replay_sort(struct replay *replay);

/* The next message of a block, with `*at` 0 at first. False: there is none. */
bool replay_span(struct pubsub_view block, size_t *at, uint32_t *offset, uint32_t *len);

#endif
