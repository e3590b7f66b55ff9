/* GET /ui/messages: messages of a subscription as they wait or are lent, in the order of
 * publishing, and none is taken. Pure; called by front. */
#ifndef EMULATOR_PAGES_PEEK_H
#define EMULATOR_PAGES_PEEK_H

#include "model/subscription.h"

/* Appends {"messages": [{"state", "attempts", "message": a PubsubMessage}]}, at most so many.
 * Errors: NOMEM. */
enum pubsub_status peek_print(struct pubsub_buf *out, const struct subscription *subscription,
                              size_t most);

#endif
