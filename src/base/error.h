/* Filling struct pubsub_error: the only way errors are made in this library. `error` may be
 * NULL. */
#ifndef PUBSUB_BASE_ERROR_H
#define PUBSUB_BASE_ERROR_H

#include <pubsub/error.h>

/* Sets status, text, grpc_code OK, and retryable for NOMEM, RESOLVE, CONNECT, IO, TIMEOUT. Returns
 * status. */
enum pubsub_status pubsub_error_set(struct pubsub_error *error, enum pubsub_status status,
                                    const char *format, ...) PUBSUB_PRINTF(3, 4);
/* A status answered by the service: PUBSUB_E_GRPC with its code; retryable by the code's nature
 * (UNAVAILABLE, ABORTED, RESOURCE_EXHAUSTED, INTERNAL, UNKNOWN, DEADLINE_EXCEEDED, CANCELLED). */
enum pubsub_status pubsub_error_set_grpc(struct pubsub_error *error, int grpc_code,
                                         const char *format, ...) PUBSUB_PRINTF(3, 4);

#endif
