/*
 * Packs ack ids into Acknowledge and ModifyAckDeadline requests under the service's limits: 512 KiB
 * and 2500 ids. Where the answer may list every id with its outcome (exactly-once), requests are
 * smaller, so that the list fits into one header of 64 KiB, the most that HTTP/2 libraries take.
 * Pure.
 */
#ifndef PUBSUB_SUB_ACK_REQUEST_H
#define PUBSUB_SUB_ACK_REQUEST_H

#include "base/bytes.h"
#include "batch/ack_ids.h"

#define PUBSUB_ACK_REQUEST_MAX_BYTES ((size_t)512 * 1024)
#define PUBSUB_ACK_REQUEST_MAX_IDS 2500u
#define PUBSUB_ACK_REQUEST_MAX_DETAILS ((size_t)45000) /* 60,000 in base64 */
#define PUBSUB_ACK_REQUEST_DETAIL_BYTES 48             /* of an id: its outcome and framing */

enum pubsub_ack_kind {
  PUBSUB_ACK_KIND_ACK,
  PUBSUB_ACK_KIND_NACK,   /* ModifyAckDeadline to 0 */
  PUBSUB_ACK_KIND_EXTEND, /* ModifyAckDeadline to the deadline */
};
#define PUBSUB_ACK_KIND_COUNT 3

struct pubsub_ack_request {
  enum pubsub_ack_kind kind;
  bool outcomes; /* the answer may list each id */
  struct pubsub_buf bytes;
  uint32_t ids;
  size_t head_bytes, details_bytes;
};
/* The request's head. Errors: NOMEM. */
enum pubsub_status pubsub_ack_request_begin(struct pubsub_ack_request *request,
                                            enum pubsub_ack_kind kind,
                                            struct pubsub_view subscription, uint32_t deadline_s,
                                            bool outcomes);
/* Adds the ids of rows[*next] (rows NULL: of row *next) on, up to `count`, until the request is
 * full; advances *next. Returns how many were added; 0: full (or no memory, where the request has
 * none yet). An id that is longer than a request goes alone. */
uint32_t pubsub_ack_request_add(struct pubsub_ack_request *request,
                                const struct pubsub_ack_ids *ids, const uint32_t *rows,
                                uint32_t count, uint32_t *next);
/* The ids in their order: start with *cursor 0; false: there are no more. Borrowed. */
bool pubsub_ack_request_next_id(const struct pubsub_ack_request *request, size_t *cursor,
                                struct pubsub_view *out);
void pubsub_ack_request_clear(struct pubsub_ack_request *request);

#endif
