/*
 * Status codes and error details of libpubsub.
 *
 * Every function that can fail returns an `enum pubsub_status` and takes a nullable
 * `struct pubsub_error *` that the caller owns; on failure it is filled, on success it is left
 * alone. The library never aborts, never prints and never keeps a "last error".
 */
#ifndef PUBSUB_ERROR_H
#define PUBSUB_ERROR_H

#include <pubsub/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a function came to: OK, or which kind of failure. */
enum pubsub_status {
  PUBSUB_OK = 0,
  PUBSUB_E_NOMEM,    /* an allocation failed; nothing was changed */
  PUBSUB_E_INVALID,  /* an argument or option is not acceptable; text names it */
  PUBSUB_E_RESOLVE,  /* the endpoint's host name has no address */
  PUBSUB_E_CONNECT,  /* the endpoint refused or did not answer the connection */
  PUBSUB_E_TLS,      /* handshake failed: certificate, host name, protocol version */
  PUBSUB_E_IO,       /* an established connection was lost */
  PUBSUB_E_PROTOCOL, /* the peer broke HTTP/2, gRPC or protobuf rules */
  PUBSUB_E_GRPC,     /* the service answered with a status; see grpc_code */
  PUBSUB_E_TIMEOUT,  /* the deadline given by the caller passed */
  PUBSUB_E_CLOSED,   /* the object was closed before or during the call */
  PUBSUB_E_LIMIT,    /* a row or request breaks a limit of the service; text names both */
  PUBSUB_E_GONE,     /* the chunk, slot or epoch asked for is not (or no longer) held here */
};

/* gRPC status codes, as on the wire; what the service answered. */
enum pubsub_grpc_code {
  PUBSUB_GRPC_OK = 0,
  PUBSUB_GRPC_CANCELLED = 1,
  PUBSUB_GRPC_UNKNOWN = 2,
  PUBSUB_GRPC_INVALID_ARGUMENT = 3,
  PUBSUB_GRPC_DEADLINE_EXCEEDED = 4,
  PUBSUB_GRPC_NOT_FOUND = 5,
  PUBSUB_GRPC_ALREADY_EXISTS = 6,
  PUBSUB_GRPC_PERMISSION_DENIED = 7,
  PUBSUB_GRPC_RESOURCE_EXHAUSTED = 8,
  PUBSUB_GRPC_FAILED_PRECONDITION = 9,
  PUBSUB_GRPC_ABORTED = 10,
  PUBSUB_GRPC_OUT_OF_RANGE = 11,
  PUBSUB_GRPC_UNIMPLEMENTED = 12,
  PUBSUB_GRPC_INTERNAL = 13,
  PUBSUB_GRPC_UNAVAILABLE = 14,
  PUBSUB_GRPC_DATA_LOSS = 15,
  PUBSUB_GRPC_UNAUTHENTICATED = 16,
};

/* Room for the text of an error, its NUL included. */
#define PUBSUB_ERROR_TEXT_BYTES 512

/* Why a function failed. The caller's; zero-initialise it, hand it in, read it after a failure. */
struct pubsub_error {
  /* as the function returned it */
  enum pubsub_status status;
  /* enum pubsub_grpc_code; PUBSUB_GRPC_OK where no service answered */
  int grpc_code;
  /* the same call may succeed later without a change by the caller */
  bool retryable;
  /* NUL-terminated, one line, no secrets: what happened, to which thing, what the reader can do */
  char text[PUBSUB_ERROR_TEXT_BYTES];
};

/* Stable lower-case name of a status ("invalid", "tls") or gRPC code ("NOT_FOUND"), for logs and
 * metrics. Static, never NULL; an unknown number has a name too. Any thread. */
PUBSUB_API const char *pubsub_status_name(enum pubsub_status status);
PUBSUB_API const char *pubsub_grpc_code_name(int code);

#ifdef __cplusplus
}
#endif
#endif
