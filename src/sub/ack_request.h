/*
 * Packs ack ids into Acknowledge and ModifyAckDeadline requests under the service's limits: 512 KiB and 2500 ids. Pure.
 */
#ifndef PUBSUB_SUB_ACK_REQUEST_H
#define PUBSUB_SUB_ACK_REQUEST_H

#include "base/bytes.h"
#include "batch/builder.h"

#define PUBSUB_ACK_REQUEST_MAX_BYTES ((size_t)512 * 1024)
#define PUBSUB_ACK_REQUEST_MAX_IDS 2500u

enum pubsub_ack_kind {
  PUBSUB_ACK_KIND_ACK,
  PUBSUB_ACK_KIND_NACK,   /* ModifyAckDeadline to 0 */
  PUBSUB_ACK_KIND_EXTEND, /* ModifyAckDeadline to the deadline */
};
#define PUBSUB_ACK_KIND_COUNT 3

struct pubsub_ack_request {
  enum pubsub_ack_kind kind;
  struct pubsub_buf bytes;
  uint32_t ids;
};
/* The request's head. Errors: NOMEM. */
enum pubsub_status pubsub_ack_request_begin(struct pubsub_ack_request *request,
                                            enum pubsub_ack_kind kind,
                                            struct pubsub_view subscription, uint32_t deadline_s);
/* Adds ids from *next on until the request is full or there are no more; advances *next. Returns how many were added;
 * 0: full (or no memory, where the request has none yet). An id that is longer than a request goes alone. */
uint32_t pubsub_ack_request_add(struct pubsub_ack_request *request,
                                const struct pubsub_ack_ids *ids, uint32_t *next);
void pubsub_ack_request_clear(struct pubsub_ack_request *request);

#endif
