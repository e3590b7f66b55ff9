/*
 * Requests as an input wants them, by the descriptors of the generated code: so every method that
 * the protos know is called with fields that mean something (names of things that may be there,
 * durations, masks, filters, ack ids that were given out), and now and then with ones that mean
 * nothing. A field that protos gain is filled without a change here.
 */
#ifndef FUZZ_SUPPORT_REQUESTS_H
#define FUZZ_SUPPORT_REQUESTS_H

#include "google/pubsub/v1/pubsub.pb-c.h"
#include "support/fuzz.h"

struct requests_ack_ids { /* the last ones that the server gave out */
  char texts[32][64];
  unsigned count;
};
/* Finds ack ids in what a server wrote, from *at on. */
void requests_learn(struct requests_ack_ids *ids, struct pubsub_view written, size_t *at);

/* Appends an encoded message of this kind. */
void requests_make(struct pubsub_buf *out, const ProtobufCMessageDescriptor *descriptor,
                   struct fuzz_input *input, const struct requests_ack_ids *ids);

/* Method `index` of all that the protos have for Pub/Sub: its service and itself; the index is
 * taken modulo their number. */
struct requests_method {
  const ProtobufCServiceDescriptor *service;
  const ProtobufCMethodDescriptor *method;
};
struct requests_method requests_method_at(unsigned index);

#endif
