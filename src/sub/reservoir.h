/*
 * The reservoir of a subscriber: the mutex that its threads share, the epochs under it, the count
 * of changes that callers wait on, and the metrics. Callers and the loop take it in turns; no lock
 * is held across a callback.
 */
#ifndef PUBSUB_SUB_RESERVOIR_H
#define PUBSUB_SUB_RESERVOIR_H

#include "base/monitor.h"
#include "batch/blocks.h"
#include "sub/epoch.h"

struct pubsub_reservoir {
  struct pubsub_blocks *blocks;  /* what the budget counts; one reference */
  struct pubsub_monitor monitor; /* everything below; woken by every change */
  uint64_t generation;           /* of what callers see; grows with each change */
  struct pubsub_list epochs; /* in the order of their opening; callers append, the loop removes */
  struct {
    uint32_t slot;
    uint64_t epoch;
  } * seen; /* the newest epoch ever opened, per slot */
  size_t seen_count, seen_cap;
  bool closing;
  uint64_t trigger_rows, trigger_bytes; /* what is settled at a time; 0: no limit */
  struct pubsub_subscriber_metrics metrics;
};

/* Errors: NOMEM; cleared by pubsub_reservoir_clear either way. */
enum pubsub_status pubsub_reservoir_init(struct pubsub_reservoir *reservoir, uint64_t budget_bytes);
void pubsub_reservoir_clear(struct pubsub_reservoir *reservoir); /* frees all epochs */
void pubsub_reservoir_lock(struct pubsub_reservoir *reservoir);
void pubsub_reservoir_unlock(struct pubsub_reservoir *reservoir);

/* ---- under the mutex ---- */

/* Wakes who waits. */
void pubsub_reservoir_changed(struct pubsub_reservoir *reservoir);
/* Waits for a change, until due_us (monotonic). False: it is due. */
bool pubsub_reservoir_wait(struct pubsub_reservoir *reservoir, uint64_t due_us);
struct pubsub_epoch *pubsub_reservoir_find(struct pubsub_reservoir *reservoir, uint32_t slot,
                                           uint64_t number);
/* A new epoch joins. Errors: INVALID (a newer or the same one of its slot was there before),
 * NOMEM. */
enum pubsub_status pubsub_reservoir_add(struct pubsub_reservoir *reservoir,
                                        struct pubsub_epoch *take_epoch);
/* The epoch after `epoch` (NULL: the first); NULL: there is none. */
struct pubsub_epoch *pubsub_reservoir_next(struct pubsub_reservoir *reservoir,
                                           const struct pubsub_epoch *epoch);

/* The chunk that came first of all that can be read and were not taken; it is taken now. *out_place
 * says where it stands. The caller's reference; NULL: none. */
struct pubsub_chunk *pubsub_reservoir_take(struct pubsub_reservoir *reservoir,
                                           struct pubsub_chunk_place *out_place);
/* An epoch that failed for good; NULL: none. */
struct pubsub_epoch *pubsub_reservoir_failed(struct pubsub_reservoir *reservoir);

/* ---- loop thread, without the mutex ---- */

/* Visits each; the visitor takes the mutex where it needs it, and may remove and free the epoch it
 * is given. */
void pubsub_reservoir_for_each(struct pubsub_reservoir *reservoir,
                               void (*visit)(void *user, struct pubsub_epoch *epoch), void *user);

#endif
