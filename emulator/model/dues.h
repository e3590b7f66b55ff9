/*
 * When leases and waits of a subscription end. Messages whose time is nearly the same share a
 * bucket, so that lending and acknowledging cost the same however many are lent. Times are rounded
 * up to 16 ms: late, never early.
 */
#ifndef EMULATOR_MODEL_DUES_H
#define EMULATOR_MODEL_DUES_H

#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"

struct dues {
  struct pubsub_heap heap; /* of buckets; one that has become empty stays until its time */
  struct pubsub_map buckets;
  struct dues_bucket *last; /* where the last one went */
};

/* Embedded in what is due; initialise the link. */
struct due {
  struct pubsub_list link;
};

/* Sets or moves it. False: no memory, and it is in no bucket. */
bool dues_set(struct dues *dues, struct due *due, uint64_t due_us);
void dues_remove(struct due *due); /* absent: no-op */
/* When to look again; UINT64_MAX: never. */
uint64_t dues_first_us(const struct dues *dues);
/* One that is due, still in its bucket; NULL: none. */
struct due *dues_next(struct dues *dues, uint64_t now_us);
void dues_clear(struct dues *dues); /* everything must have been removed */

#endif
