/* Answers to requests that are not gRPC, or of a method that does not exist. */
#ifndef EMULATOR_RPC_HTTP_H
#define EMULATOR_RPC_HTTP_H

#include "h2/conn.h"

/* A status of gRPC, without a message body. */
void refuse_grpc(struct pubsub_h2_stream *stream, const char *grpc_status, const char *message);
/* Plain text, for people and health checks, once the request is complete. */
struct refusal {
  const char *http_status, *text;
};
void refuse_http(struct pubsub_h2_stream *stream, const struct refusal *refusal); /* static */

#endif
