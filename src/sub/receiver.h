/*
 * The loop's half of a subscriber: StreamingPull -> inlet -> held chunks, and what callers asked for -> settler.
 *
 * Back-pressure: while the budget is used up and there is something that readers or the settler can free, windows are not
 * given back; what was already under way is bounded by the windows, a tenth of the budget together. Loop thread only.
 */
#ifndef PUBSUB_SUB_RECEIVER_H
#define PUBSUB_SUB_RECEIVER_H

#include "sub/pull.h"
#include "sub/sealer.h"

struct pubsub_receiver {
  struct pubsub_channel *channel;
  struct pubsub_loop *loop; /* of the channel */
  struct pubsub_subscriber_options options;
  struct pubsub_reservoir *reservoir;
  struct pubsub_settler settler;
  struct pubsub_sealer sealer;
  struct pubsub_timer budget; /* polls while over budget */
  bool paused;
  uint64_t linger_us;
};

/* Any thread, before the loop has seen it. options.subscription outlives it. Errors: NOMEM; cleared by
 * pubsub_receiver_clear either way. */
enum pubsub_status pubsub_receiver_init(struct pubsub_receiver *receiver,
                                        struct pubsub_channel *channel,
                                        const struct pubsub_subscriber_options *options,
                                        struct pubsub_reservoir *reservoir);
void pubsub_receiver_clear(struct pubsub_receiver *receiver);
/* Looks at what callers asked for: epochs that are new or to be closed, chunks to be settled. */
void pubsub_receiver_work(struct pubsub_receiver *receiver);

#endif
