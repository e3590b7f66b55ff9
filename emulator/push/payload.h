/*
 * A message as an HTTP request: wrapped in JSON, or its data alone with attributes (and what else
 * is known of it) as headers, as the subscription's push configuration says. Pure.
 */
#ifndef EMULATOR_PUSH_PAYLOAD_H
#define EMULATOR_PUSH_PAYLOAD_H

#include "auth/url.h"
#include "model/subscription.h"

/* Appends the whole request. `token`: of the authorization header; NULL: none. Errors: NOMEM. */
enum pubsub_status payload_write(struct pubsub_buf *out, const struct pubsub_url *url,
                                 const struct subscription *subscription,
                                 const struct message *message, const char *token);

#endif
