/*
 * What became of the ack ids of one request, as exactly-once delivery tells it: google.rpc.Status
 * (the details of a call) with a google.rpc.ErrorInfo whose metadata has an entry per id that
 * failed. Pure; hostile input is ignored, never an error.
 */
#ifndef PUBSUB_PROTO_ACK_OUTCOME_H
#define PUBSUB_PROTO_ACK_OUTCOME_H

#include "base/bytes.h"

enum pubsub_ack_outcome {
  PUBSUB_ACK_OUTCOME_GOOD,
  PUBSUB_ACK_OUTCOME_TRANSIENT, /* send the id again */
  PUBSUB_ACK_OUTCOME_PERMANENT, /* the id is no good any more */
  PUBSUB_ACK_OUTCOME_SPLIT,     /* it, or one that came with it: send it again with fewer */
};

struct pubsub_ack_outcomes {
  struct pubsub_ack_outcome_entry {
    struct pubsub_view ack_id; /* borrowed from the details */
    enum pubsub_ack_outcome outcome;
  } * entries;  /* owned; by ack id */
  size_t count; /* 0: nothing is said of single ids */
};
/* Views into `details` are kept. Errors: NOMEM (no entries). */
enum pubsub_status pubsub_ack_outcomes_read(struct pubsub_ack_outcomes *outcomes,
                                            struct pubsub_view details);
/* GOOD where the id is not listed. */
enum pubsub_ack_outcome pubsub_ack_outcomes_find(const struct pubsub_ack_outcomes *outcomes,
                                                 struct pubsub_view ack_id);
void pubsub_ack_outcomes_clear(struct pubsub_ack_outcomes *outcomes);

#endif
