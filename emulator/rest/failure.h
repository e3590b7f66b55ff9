/* What has gone wrong, as Google's APIs say it over HTTP: {"error": {code, message, status,
 * details}}. Pure. */
#ifndef EMULATOR_REST_FAILURE_H
#define EMULATOR_REST_FAILURE_H

#include "base/bytes.h"

/* The HTTP status of a gRPC code (google/rpc/code). */
int failure_status(int grpc_code);
/* Appends the body. `details`: an encoded google.rpc.Status, or empty. Errors: NOMEM. */
enum pubsub_status failure_print(struct pubsub_buf *out, int http_status, int grpc_code,
                                 const char *message, struct pubsub_view details);

#endif
