/*
 * A byte stream over another: before anything is written to the client, what its answers rest on is
 * kept (store_commit). So all requests of a round of the loop share one write to the disk, and no
 * front need know of it. Where it cannot be kept nothing is sent, and the stream is dead.
 */
#ifndef EMULATOR_BARRIER_H
#define EMULATOR_BARRIER_H

#include "net/bytestream.h"

/* `commit` is called before each write. Takes the stream on success. NULL: no memory. */
struct pubsub_bytestream *
barrier_new(struct pubsub_bytestream *take_stream,
            enum pubsub_status (*commit)(void *user, struct pubsub_error *error), void *user);

#endif
