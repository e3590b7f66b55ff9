/*
 * The loop's half of a subscriber: what callers asked for goes to the flow (epochs) and the settler
 * (chunks), outcomes come back into the reservoir. Loop thread only.
 */
#ifndef PUBSUB_SUB_RECEIVER_H
#define PUBSUB_SUB_RECEIVER_H

#include "sub/flow.h"

struct pubsub_receiver {
  struct pubsub_loop *loop; /* of the channel */
  struct pubsub_reservoir *reservoir;
  struct pubsub_settler settler;
  struct pubsub_sealer sealer;
  struct pubsub_flow flow;
};

/* Any thread, before the loop has seen it. options.subscription outlives it. Errors: NOMEM; cleared
 * by pubsub_receiver_clear either way. */
enum pubsub_status pubsub_receiver_init(struct pubsub_receiver *receiver,
                                        struct pubsub_channel *channel,
                                        const struct pubsub_subscriber_options *options,
                                        struct pubsub_reservoir *reservoir);
void pubsub_receiver_clear(struct pubsub_receiver *receiver);
/* Looks at what callers asked for: epochs that are new or to be closed, chunks to be settled. */
void pubsub_receiver_work(struct pubsub_receiver *receiver);

#endif
