/* The routing header x-goog-request-params. */
#ifndef PUBSUB_GRPC_ROUTING_H
#define PUBSUB_GRPC_ROUTING_H

#include "base/bytes.h"

/* "subscription" and "projects/P/subscriptions/S" -> "subscription=projects%2FP…". The caller's to
 * pubsub_free; NULL: no memory. */
char *pubsub_routing_header(const char *field, struct pubsub_view name);

#endif
