/*
 * The inside of a publisher: its callers' half. It measures and checks messages, waits for room,
 * puts them on the desk, and waits for their outcome; the sender does the rest on the loop's
 * thread.
 *
 *   publish ─▶ desk (open ─▶ sealed) ─▶ sender ─▶ ids
 *
 * Any thread. Made by src/client/handles.c on one of the client's channels.
 */
#ifndef PUBSUB_PUB_PUBLISHER_H
#define PUBSUB_PUB_PUBLISHER_H

#include "pub/sender.h"

struct pubsub_publisher {
  struct pubsub_publisher_options options; /* with defaults; topic: the sender's copy */
  struct pubsub_sender sender;
};

/* Any thread. The channel outlives the publisher. Errors: INVALID, NOMEM. */
enum pubsub_status pubsub_publisher_create(struct pubsub_channel *channel,
                                           const struct pubsub_publisher_options *options,
                                           struct pubsub_publisher **out,
                                           struct pubsub_error *error);

#endif
