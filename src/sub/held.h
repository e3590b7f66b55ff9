/*
 * A held chunk: what the reservoir keeps of a chunk from its first indexed row until every ack id
 * has its outcome. This file alone writes its stage; a step that the stage does not allow is
 * refused and changes nothing.
 *
 *   BUILDING ── turn_away ──▶ SETTLING (below)
 *      │
 *      └─────── seal ──▶ PENDING ── await_receipt ──▶ AWAITS_RECEIPT
 *                        │    ▲                          │
 *                        │    └────── receipt_over ──────┘
 *                     publish: it has a seq, readers see it
 *                        ▼
 *                     READABLE ── ask ──▶ ASKED ── begin ──▶ SETTLING ── finish ──▶ DONE
 *                                        (any thread)       (the settler has it)
 *
 * Beside the stage: nack (which outcome was asked), lost_lease (given up while it was held:
 * settling it sends nothing), late_lease (the service has ended it: acknowledging is tried all the
 * same, and does not count).
 */
#ifndef PUBSUB_SUB_HELD_H
#define PUBSUB_SUB_HELD_H

#include "base/heap.h"
#include "base/list.h"
#include "batch/ack_ids.h"
#include "sub/lease.h"
#include "sub/pass.h"

#include <pubsub/chunk.h>
#include <stdatomic.h>

struct pubsub_epoch;

enum pubsub_held_stage {
  PUBSUB_HELD_BUILDING,
  PUBSUB_HELD_PENDING,
  PUBSUB_HELD_AWAITS_RECEIPT,
  PUBSUB_HELD_READABLE,
  PUBSUB_HELD_ASKED,
  PUBSUB_HELD_SETTLING,
  PUBSUB_HELD_DONE,
};
#define PUBSUB_HELD_STAGE_COUNT 7

struct pubsub_held {
  struct pubsub_epoch *epoch;
  /* enum pubsub_held_stage. Written under the reservoir's mutex from the time it has a seq; the
   * loop may read it without. */
  atomic_int stage;
  bool loose; /* turned away; constant from then on */
  /* Set when it is sealed, and where rows are dropped before it has a seq; then constant. */
  uint32_t rows;
  uint64_t bytes;
  int64_t oldest_publish_us; /* of its rows */
  int64_t receive_wall_us;

  struct {                      /* under the reservoir's mutex */
    struct pubsub_chunk *chunk; /* NULL once asked settled: nobody may read it again */
    bool nack;                  /* the asked outcome */
    uint64_t asked_us;
    struct pubsub_list alone_link; /* in epoch.alone while asked on its own and not handed over */
  } shared;

  struct {                              /* loop thread */
    struct pubsub_list pending_link;    /* in inlet.pending until it has a seq */
    struct pubsub_heap_node lease_node; /* in leases.heap while leased; due = next look */
    struct pubsub_lease lease;
    struct pubsub_ack_ids ack_ids;
    struct pubsub_pass settling;  /* acknowledges or gives back */
    struct pubsub_pass extending; /* extends the lease; the receipt is the first extension */
    bool lost_lease;              /* the lease was given up */
    bool late_lease;              /* it ended before an extension had arrived */
    bool unextended;              /* of the extension under way, some row's has failed */
    uint32_t lent_rows;           /* as received, dropped ones included */
    uint64_t lent_bytes;          /* likewise, as the service counts them */
    uint32_t failed_rows;         /* refused by the service */
    uint8_t *drop;                /* per row: its receipt failed. NULL: no row's */
    bool drop_all;                /* … every row's, or no memory to tell which */
    uint64_t *numbers;            /* message numbers of the rows, 0: none; NULL: not indexed */
    uint32_t number_count;
    size_t numbers_bytes; /* of the store's block */
  } loop;
};

static inline enum pubsub_held_stage pubsub_held_stage(const struct pubsub_held *held) {
  return (enum pubsub_held_stage)atomic_load_explicit(&held->stage, memory_order_relaxed);
}
/* Turned away: it was never read, has no seq and no place in its epoch. */
static inline bool pubsub_held_is_loose(const struct pubsub_held *held) {
  return held->loose;
}
/* Its settling was handed to the settler: extending it makes no sense any more. */
static inline bool pubsub_held_is_settling(const struct pubsub_held *held) {
  return pubsub_held_stage(held) >= PUBSUB_HELD_SETTLING;
}
static inline bool pubsub_held_awaits_receipt(const struct pubsub_held *held) {
  return pubsub_held_stage(held) == PUBSUB_HELD_AWAITS_RECEIPT;
}

/* BUILDING. NULL: no memory. */
struct pubsub_held *pubsub_held_new(struct pubsub_epoch *epoch);
/* With all it owns; it is in no list, heap or index any more. */
void pubsub_held_free(struct pubsub_held *held, struct pubsub_blocks *blocks);

/* ---- the steps; false: not from this stage ---- */

/* Takes the chunk and the ids of its rows. */
bool pubsub_held_seal(struct pubsub_held *held, struct pubsub_chunk *take_chunk,
                      const struct pubsub_ack_ids *take_ack_ids, int64_t receive_wall_us);
/* Only the ids of rows are there: they go back, without ever being read. */
bool pubsub_held_turn_away(struct pubsub_held *held, const struct pubsub_ack_ids *take_ack_ids);
bool pubsub_held_await_receipt(struct pubsub_held *held);
bool pubsub_held_receipt_over(struct pubsub_held *held);
/* Under the mutex, from here on. Its receipt need not be over: it is not waited for then. */
bool pubsub_held_publish(struct pubsub_held *held);
/* Any thread: nobody reads it again; its columns go with the last reader. */
bool pubsub_held_ask(struct pubsub_held *held, bool nack, uint64_t now_us);
bool pubsub_held_begin(struct pubsub_held *held);
bool pubsub_held_finish(struct pubsub_held *held);

/* ---- rows, loop thread ---- */

/* Other columns and ids stand for it from now on: rows were dropped (before it has a seq). */
void pubsub_held_replace(struct pubsub_held *held, struct pubsub_chunk *take_chunk,
                         const struct pubsub_ack_ids *take_ack_ids);
/* Row number_count is this message. Errors: NOMEM. */
enum pubsub_status pubsub_held_add_number(struct pubsub_held *held, struct pubsub_blocks *blocks,
                                          uint64_t number);
/* Notes that the receipt of a row failed. */
void pubsub_held_drop_row(struct pubsub_held *held, uint32_t row);

#endif
