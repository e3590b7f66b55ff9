#include "grpc/verdict.h"

#include "base/error.h"
#include "base/text.h"

static int parse_number(struct pubsub_view text) {
  int number = 0;
  if (text.len == 0 || text.len > 4) return -1;
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] < '0' || text.ptr[i] > '9') return -1;
    number = number * 10 + (text.ptr[i] - '0');
  }
  return number;
}

static bool is(struct pubsub_view name, const char *text) {
  return pubsub_view_equal(name, pubsub_view_str(text));
}

void pubsub_verdict_init(struct pubsub_verdict *verdict) {
  *verdict = (struct pubsub_verdict){.grpc_status = -1};
}

void pubsub_verdict_clear(struct pubsub_verdict *verdict) {
  pubsub_buf_clear(&verdict->details);
}

/* What only the first headers say. */
static void read_http(struct pubsub_verdict *verdict, const struct pubsub_h2_header *header) {
  static const char type[] = "application/grpc";
  if (is(header->name, ":status")) {
    verdict->http_status = parse_number(header->value);
  } else if (is(header->name, "content-type")) {
    verdict->is_grpc = header->value.len >= sizeof type - 1 &&
                       memcmp(header->value.ptr, type, sizeof type - 1) == 0;
  }
}

void pubsub_verdict_read(struct pubsub_verdict *verdict, const struct pubsub_h2_header *header,
                         bool trailers) {
  if (!trailers) read_http(verdict, header);
  if (is(header->name, "grpc-status")) {
    int code = parse_number(header->value);
    verdict->grpc_status = code < 0 || code > 16 ? PUBSUB_GRPC_UNKNOWN : code;
  } else if (is(header->name, "grpc-message")) {
    pubsub_percent_decode_cut(header->value, verdict->grpc_message, sizeof verdict->grpc_message);
  } else if (is(header->name, "grpc-status-details-bin")) {
    pubsub_base64_decode(header->value, &verdict->details);
  }
}

bool pubsub_verdict_is_answer(const struct pubsub_verdict *verdict) {
  return verdict->http_status == 200 && verdict->is_grpc;
}

static int code_of_http_status(int status) {
  switch (status) {
  case 400:
    return PUBSUB_GRPC_INTERNAL;
  case 401:
    return PUBSUB_GRPC_UNAUTHENTICATED;
  case 403:
    return PUBSUB_GRPC_PERMISSION_DENIED;
  case 404:
    return PUBSUB_GRPC_UNIMPLEMENTED;
  case 429:
  case 502:
  case 503:
  case 504:
    return PUBSUB_GRPC_UNAVAILABLE;
  default:
    return PUBSUB_GRPC_UNKNOWN;
  }
}

static enum pubsub_status malformed(struct pubsub_error *out, const char *what) {
  pubsub_error_set(out, PUBSUB_E_PROTOCOL, "the response ended %s", what);
  out->retryable = true;
  return PUBSUB_E_PROTOCOL;
}

enum pubsub_status pubsub_verdict_result(const struct pubsub_verdict *verdict, bool at_boundary,
                                         struct pubsub_error *out) {
  int code = verdict->grpc_status;
  *out = (struct pubsub_error){0};
  if (code > 0) {
    const char *message = verdict->grpc_message;
    return pubsub_error_set_grpc(out, code, "%s",
                                 message[0] ? message : pubsub_grpc_code_name(code));
  }
  if (!pubsub_verdict_is_answer(verdict)) {
    return pubsub_error_set_grpc(out, code_of_http_status(verdict->http_status),
                                 "the endpoint answered HTTP status %d without gRPC",
                                 verdict->http_status);
  }
  if (code < 0) return malformed(out, "without a gRPC status");
  return at_boundary ? PUBSUB_OK : malformed(out, "in the middle of a message");
}
