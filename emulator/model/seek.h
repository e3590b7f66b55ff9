/* Seek: what is unacknowledged is decided anew, by time or by a snapshot. Leases end, ack ids
 * with them. */
#ifndef EMULATOR_MODEL_SEEK_H
#define EMULATOR_MODEL_SEEK_H

#include "model/snapshot.h"
#include "model/subscription.h"

/* What was published at at_us or later, and the subscription or its topic still has, is
 * unacknowledged then. */
void seek_to_time(struct subscription *subscription, int64_t at_us);
/* The snapshot's messages are unacknowledged then, and no others. */
void seek_to_snapshot(struct subscription *subscription, const struct snapshot *snapshot);

#endif
