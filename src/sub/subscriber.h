/* Making a subscriber on a channel; the public constructor, which knows clients, is in client/. */
#ifndef PUBSUB_SUB_SUBSCRIBER_H
#define PUBSUB_SUB_SUBSCRIBER_H

#include "grpc/channel.h"
#include <pubsub/subscriber.h>

/* Any thread. The channel outlives the subscriber. Errors: INVALID, NOMEM. */
enum pubsub_status pubsub_subscriber_create(struct pubsub_channel *channel,
                                            const struct pubsub_subscriber_options *options,
                                            struct pubsub_subscriber **out,
                                            struct pubsub_error *error);

#endif
