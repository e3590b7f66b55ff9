/*
 * Brings messages and consumers together: a subscription that may have something to lend is
 * stirred, and served once the loop comes to it, so that what arrives together leaves together.
 * Pulls first, then streams in turns.
 */
#ifndef EMULATOR_MODEL_DELIVERY_H
#define EMULATOR_MODEL_DELIVERY_H

#include "model/subscription.h"

/* There may be something to lend, or somebody to lend to: it will be served soon. */
void delivery_wake(struct subscription *subscription);
/* Serves all that were stirred. Called when world_callbacks.on_stirred was. */
void delivery_run(struct world *world);
/* Ends the consumers of a list, of all lists, with a gRPC code and the reason. */
void delivery_end(struct pubsub_list *consumers, int grpc_code, const char *why);
void delivery_end_all(struct subscription *subscription, int grpc_code, const char *why);

#endif
