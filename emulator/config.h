/*
 * --config FILE: what the server is to hold, as JSON. Each section is a list of requests as the
 * REST API writes them; they are made in this order, and the first that is refused ends it.
 *
 *   {"schemas": [CreateSchemaRequest …], "topics": [Topic …],
 *    "subscriptions": [Subscription …], "messages": [PublishRequest …]}
 */
#ifndef EMULATOR_CONFIG_H
#define EMULATOR_CONFIG_H

#include "model/broker.h"
#include "rpc/call.h"

/* `again`: it was loaded before; what exists is passed over, and so are messages. Errors: INVALID
 * (told, with the place), IO, NOMEM. */
enum pubsub_status config_load(struct broker *broker, const struct method *const *tables,
                               const char *path, bool again, struct pubsub_error *error);

#endif
