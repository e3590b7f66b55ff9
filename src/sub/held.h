/*
 * A held chunk: what the reservoir keeps of a chunk from sealing until its outcome is confirmed. Made by the loop, ordered
 * settled from any thread.
 *
 *   (receipt, exactly-once only) ──▶ HELD ── settle ordered ──▶ ORDERED ── its ids are sent ──▶ … confirmed, or given up ──▶ DONE
 */
#ifndef PUBSUB_SUB_HELD_H
#define PUBSUB_SUB_HELD_H

#include "base/heap.h"
#include "base/list.h"
#include "batch/ack_ids.h"
#include "sub/ack_request.h"
#include "sub/lease.h"
#include "sub/pass.h"

#include <pubsub/chunk.h>

struct pubsub_epoch;

enum pubsub_held_state { PUBSUB_HELD, PUBSUB_HELD_ORDERED, PUBSUB_HELD_DONE };

struct pubsub_held {
  /* under the subscriber's mutex */
  enum pubsub_held_state state;
  struct pubsub_chunk *chunk; /* NULL once ordered settled: nobody may read it again */
  bool nack;                  /* the ordered outcome */
  uint64_t ordered_us;
  uint32_t rows;
  uint64_t bytes;
  int64_t oldest_publish_us; /* of its rows */
  int64_t receive_wall_us;

  /* loop thread only */
  struct pubsub_epoch *epoch;
  struct pubsub_list pending_link;    /* in epoch.loop.pending until it has a seq */
  struct pubsub_heap_node lease_node; /* in settler.leases while leased; due = next look */
  struct pubsub_lease lease;
  struct pubsub_ack_ids ack_ids;
  struct pubsub_pass settling;  /* acknowledges or gives back */
  struct pubsub_pass extending; /* extends the lease; the receipt is the first extension */
  bool receipt;         /* its receipt is under way: nobody sees the chunk before it is there */
  bool ordered;         /* the settler has the order */
  bool expired;         /* the lease was given up */
  uint32_t failed_rows; /* refused by the service */
  uint8_t *drop;        /* per row: its receipt failed. NULL: no row's */
  bool drop_all;        /* … every row's, or no memory to tell which */
  uint64_t *numbers;    /* message numbers of the rows, 0: none; NULL: not indexed */
  uint32_t number_count;
  size_t numbers_bytes; /* of the pool's block */
};

/* NULL: no memory. */
struct pubsub_held *pubsub_held_new(struct pubsub_epoch *epoch);
/* With all it owns; it is in no list, heap or index any more. */
void pubsub_held_free(struct pubsub_held *held, struct pubsub_pool *pool);
/* Row number_count is this message. Errors: NOMEM. */
enum pubsub_status pubsub_held_add_number(struct pubsub_held *held, struct pubsub_pool *pool,
                                          uint64_t number);
/* Notes that the receipt of a row failed. */
void pubsub_held_drop_row(struct pubsub_held *held, uint32_t row);

#endif
