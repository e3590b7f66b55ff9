/* GET /ui/state: what the page shows of topics and subscriptions, as JSON. Pure; called by
 * front. */
#ifndef EMULATOR_PAGES_STATE_H
#define EMULATOR_PAGES_STATE_H

#include "model/broker.h"

/* Appends one object. Errors: NOMEM. */
enum pubsub_status state_print(struct pubsub_buf *out, struct broker *broker);

#endif
