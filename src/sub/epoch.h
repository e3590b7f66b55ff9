/*
 * An epoch: one opening of a slot, with its chunks in a ring, seq `first_seq` up to `sealed`. This
 * is the half that all threads share; what receives for it is the inlet (sealer.h), the loop's own.
 *
 *   settled ≤ handed (to the settler) ≤ asked (by callers) ≤ sealed
 *
 * A chunk may also be asked and handed over alone, out of turn; what counts chunks in their order
 * passes it then.
 *
 * Every function is called under the reservoir's mutex unless it says otherwise.
 */
#ifndef PUBSUB_SUB_EPOCH_H
#define PUBSUB_SUB_EPOCH_H

#include "sub/held.h"
#include <pubsub/subscriber.h>

struct pubsub_inlet;

struct pubsub_epoch {
  uint32_t slot;
  uint64_t number;
  uint32_t delay_ms;
  struct pubsub_blocks *blocks; /* of its chunks; borrowed */

  struct {                   /* under the reservoir's mutex */
    struct pubsub_list link; /* in reservoir.epochs */
    enum pubsub_slot_state state;
    bool close_asked, give_back, reported_closed;
    bool receiving;              /* an inlet may add to it */
    struct pubsub_held **chunks; /* the ring */
    size_t chunk_cap;            /* power of two */
    uint64_t first_seq;          /* = settled: all below are done */
    uint64_t handed, asked, sealed;
    uint64_t next;            /* what a caller that takes chunks one after the other gets next */
    struct pubsub_list alone; /* of held.alone_link: asked out of turn, in the order of asking */
    uint64_t pending;         /* received, without a seq yet: in inlet.pending */
    uint64_t sealed_rows, sealed_bytes, backlog_rows, backlog_bytes;
    struct pubsub_error error;
  } shared;

  struct pubsub_inlet *inlet; /* loop thread; NULL before it was started */
};

/* Any thread. NULL: no memory. */
struct pubsub_epoch *pubsub_epoch_new(uint32_t slot, uint64_t number, uint32_t delay_ms,
                                      struct pubsub_blocks *blocks);
/* With the chunks that are left; it is in no list any more. Any thread. */
void pubsub_epoch_free(struct pubsub_epoch *epoch);

/* Room in the ring for one more chunk than there are, pending ones included. Errors: NOMEM. */
enum pubsub_status pubsub_epoch_reserve(struct pubsub_epoch *epoch);
/* A sealed chunk is the epoch's from now on, without a seq yet: it counts as backlog. After
 * reserve. */
void pubsub_epoch_add(struct pubsub_epoch *epoch, const struct pubsub_held *held);
/* It has the next seq: readers see it. */
void pubsub_epoch_publish(struct pubsub_epoch *epoch, struct pubsub_held *take_held);
/* Rows of a pending chunk come to nothing; `whole`: so does the chunk, the caller's to free. */
void pubsub_epoch_forget(struct pubsub_epoch *epoch, uint32_t rows, uint64_t bytes, bool whole);

/* NULL: it has no such chunk (any more, or yet). */
struct pubsub_held *pubsub_epoch_held(const struct pubsub_epoch *epoch, uint64_t seq);
/* Asks that chunks below end_seq be settled; their columns go. */
void pubsub_epoch_ask_settle(struct pubsub_epoch *epoch, uint64_t end_seq, bool nack,
                             uint64_t now_us);
/* The same for one chunk, whatever those before it are. */
void pubsub_epoch_ask_settle_alone(struct pubsub_epoch *epoch, uint64_t seq, bool nack,
                                   uint64_t now_us);
/* The oldest chunk that was not taken and can be read; *out_seq is its seq. NULL: none. */
struct pubsub_held *pubsub_epoch_untaken(struct pubsub_epoch *epoch, uint64_t *out_seq);
/* The next chunk that was asked settled and is not yet with the settler: SETTLING from now on.
 * NULL: none. */
struct pubsub_held *pubsub_epoch_hand_over(struct pubsub_epoch *epoch);
/* Every id of the chunk has its outcome. May free it. */
void pubsub_epoch_settled(struct pubsub_epoch *epoch, struct pubsub_held *held);
/* An asked close is over when nothing is received or left. */
void pubsub_epoch_maybe_closed(struct pubsub_epoch *epoch);
bool pubsub_epoch_is_empty(const struct pubsub_epoch *epoch);

void pubsub_epoch_report(const struct pubsub_epoch *epoch, struct pubsub_slot_report *out);

#endif
