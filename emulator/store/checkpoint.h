/*
 * A checkpoint: a file that says how everything stands when a file of the log begins, so that what
 * is before need not be read (only blocks that are still needed lie there). It becomes the one that
 * counts by its name, whole or not at all.
 */
#ifndef EMULATOR_STORE_CHECKPOINT_H
#define EMULATOR_STORE_CHECKPOINT_H

#include "store/store.h"

/* Begins a file of the log and writes what stands before it. Errors: IO, NOMEM; everything is as
 * before then, unless store->log.failed. */
enum pubsub_status checkpoint_write(struct store *store);

#endif
