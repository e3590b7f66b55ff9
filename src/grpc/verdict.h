/*
 * The service's verdict on a call, from what its response headers and trailers said. Rules: the
 * gRPC over HTTP/2 protocol description. Pure, but for the memory of the details.
 */
#ifndef PUBSUB_GRPC_VERDICT_H
#define PUBSUB_GRPC_VERDICT_H

#include "base/bytes.h"
#include "h2/conn.h"

struct pubsub_verdict {
  int http_status;           /* 0: no headers yet */
  bool is_grpc;              /* content-type application/grpc… */
  int grpc_status;           /* -1: not told */
  char grpc_message[384];    /* cut where it is longer */
  struct pubsub_buf details; /* grpc-status-details-bin, decoded; without memory: empty */
};
void pubsub_verdict_init(struct pubsub_verdict *verdict);
void pubsub_verdict_clear(struct pubsub_verdict *verdict);
void pubsub_verdict_read(struct pubsub_verdict *verdict, const struct pubsub_h2_header *header,
                         bool trailers);
/* Whether messages follow: a good HTTP status and gRPC's content type. */
bool pubsub_verdict_is_answer(const struct pubsub_verdict *verdict);
/* What the call came to. at_boundary: its last message is whole. */
enum pubsub_status pubsub_verdict_result(const struct pubsub_verdict *verdict, bool at_boundary,
                                         struct pubsub_error *out);

#endif
