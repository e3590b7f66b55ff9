#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

static void fill(struct pubsub_error *error, enum pubsub_status status, int grpc_code,
                 bool retryable, const char *format, va_list args) {
  if (!error) return;
  char text[PUBSUB_ERROR_TEXT_BYTES]; /* arguments may point into error->text */
  vsnprintf(text, sizeof text, format, args);
  for (char *c = text; *c; c++) {
    if ((unsigned char)*c < 0x20) *c = ' ';
  }
  error->status = status;
  error->grpc_code = grpc_code;
  error->retryable = retryable;
  snprintf(error->text, sizeof error->text, "%s", text);
}

enum pubsub_status pubsub_error_set(struct pubsub_error *error, enum pubsub_status status,
                                    const char *format, ...) {
  bool retryable = status == PUBSUB_E_NOMEM || status == PUBSUB_E_RESOLVE ||
                   status == PUBSUB_E_CONNECT || status == PUBSUB_E_IO ||
                   status == PUBSUB_E_TIMEOUT;
  va_list args;
  va_start(args, format);
  fill(error, status, PUBSUB_GRPC_OK, retryable, format, args);
  va_end(args);
  return status;
}

static bool passes_by_itself(int grpc_code) {
  switch (grpc_code) {
  case PUBSUB_GRPC_CANCELLED:
  case PUBSUB_GRPC_UNKNOWN:
  case PUBSUB_GRPC_DEADLINE_EXCEEDED:
  case PUBSUB_GRPC_RESOURCE_EXHAUSTED:
  case PUBSUB_GRPC_ABORTED:
  case PUBSUB_GRPC_INTERNAL:
  case PUBSUB_GRPC_UNAVAILABLE:
    return true;
  default:
    return false;
  }
}

enum pubsub_status pubsub_error_set_grpc(struct pubsub_error *error, int grpc_code,
                                         const char *format, ...) {
  va_list args;
  va_start(args, format);
  fill(error, PUBSUB_E_GRPC, grpc_code, passes_by_itself(grpc_code), format, args);
  va_end(args);
  return PUBSUB_E_GRPC;
}

const char *pubsub_status_name(enum pubsub_status status) {
  static const char *const names[] = {"ok",     "nomem", "invalid",  "resolve", "connect",
                                      "tls",    "io",    "protocol", "grpc",    "timeout",
                                      "closed", "limit", "gone"};
  return (unsigned)status < sizeof names / sizeof *names ? names[status] : "unknown";
}

const char *pubsub_grpc_code_name(int code) {
  static const char *const names[] = {"OK",
                                      "CANCELLED",
                                      "UNKNOWN",
                                      "INVALID_ARGUMENT",
                                      "DEADLINE_EXCEEDED",
                                      "NOT_FOUND",
                                      "ALREADY_EXISTS",
                                      "PERMISSION_DENIED",
                                      "RESOURCE_EXHAUSTED",
                                      "FAILED_PRECONDITION",
                                      "ABORTED",
                                      "OUT_OF_RANGE",
                                      "UNIMPLEMENTED",
                                      "INTERNAL",
                                      "UNAVAILABLE",
                                      "DATA_LOSS",
                                      "UNAUTHENTICATED"};
  return code >= 0 && (size_t)code < sizeof names / sizeof *names ? names[code] : "UNKNOWN";
}
