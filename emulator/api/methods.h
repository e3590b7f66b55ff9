/* The methods that are served, a table a file, each ended by path NULL; server.c lists the
 * tables. */
#ifndef EMULATOR_API_METHODS_H
#define EMULATOR_API_METHODS_H

#include "rpc/call.h"

#define PUBLISHER "/google.pubsub.v1.Publisher/"
#define SUBSCRIBER "/google.pubsub.v1.Subscriber/"
#define SCHEMAS "/google.pubsub.v1.SchemaService/"
#define IAM "/google.iam.v1.IAMPolicy/"
#define CONTROL "/pubsub.emulator.v1.Control/"
#define HEALTH "/grpc.health.v1.Health/"

/* REQUEST and RESPONSE: names of generated types in the package, as their descriptors have them. */
#define METHOD(SERVICE, NAME, REQUEST, RESPONSE, HANDLER)                                          \
  {                                                                                                \
    .path = SERVICE NAME, .request = &REQUEST##__descriptor, .response = &RESPONSE##__descriptor,  \
    .on_request = HANDLER                                                                          \
  }

extern const struct method publish_methods[], acknowledge_methods[], stream_methods[],
    pull_methods[], topic_methods[], subscription_methods[], seek_methods[], snapshot_methods[],
    schema_methods[], iam_methods[], control_methods[], health_methods[], reflection_methods[];

#endif
