/* From response headers and trailers to a status. Rules: the gRPC over HTTP/2 protocol description. */
#include "grpc/call.h"

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

void pubsub_call_read_header(struct pubsub_call *call, const struct pubsub_h2_header *header,
                             bool trailers) {
  static const char grpc_type[] = "application/grpc";
  if (!trailers && is(header->name, ":status")) {
    call->http_status = parse_number(header->value);
  } else if (!trailers && is(header->name, "content-type")) {
    call->is_grpc = header->value.len >= sizeof grpc_type - 1 &&
                    memcmp(header->value.ptr, grpc_type, sizeof grpc_type - 1) == 0;
  } else if (is(header->name, "grpc-status")) {
    int code = parse_number(header->value);
    call->grpc_status = code < 0 || code > 16 ? PUBSUB_GRPC_UNKNOWN : code;
  } else if (is(header->name, "grpc-message")) {
    pubsub_percent_decode_cut(header->value, call->grpc_message, sizeof call->grpc_message);
  } else if (is(header->name, "grpc-status-details-bin")) {
    pubsub_base64_decode(header->value, &call->details); /* without memory: no details */
  }
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

enum pubsub_status pubsub_call_verdict(const struct pubsub_call *call, struct pubsub_error *out) {
  *out = (struct pubsub_error){0};
  if (call->grpc_status > 0) {
    return pubsub_error_set_grpc(out, call->grpc_status, "%s",
                                 call->grpc_message[0] ? call->grpc_message
                                                       : pubsub_grpc_code_name(call->grpc_status));
  }
  if (call->http_status != 200 || !call->is_grpc) {
    return pubsub_error_set_grpc(out, code_of_http_status(call->http_status),
                                 "the endpoint answered HTTP status %d without gRPC",
                                 call->http_status);
  }
  if (call->grpc_status < 0) {
    pubsub_error_set(out, PUBSUB_E_PROTOCOL, "the response ended without a gRPC status");
    out->retryable = true;
    return PUBSUB_E_PROTOCOL;
  }
  if (!pubsub_frame_parser_at_boundary(&call->parser)) {
    pubsub_error_set(out, PUBSUB_E_PROTOCOL, "the response ended in the middle of a message");
    out->retryable = true;
    return PUBSUB_E_PROTOCOL;
  }
  return PUBSUB_OK;
}
