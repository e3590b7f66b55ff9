/* From response headers and trailers to a status. Rules: the gRPC over HTTP/2 protocol description. */
#include "grpc/call.h"

#include "base/error.h"

static int parse_number(struct pubsub_view text) {
  int number = 0;
  if (text.len == 0 || text.len > 4) return -1;
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] < '0' || text.ptr[i] > '9') return -1;
    number = number * 10 + (text.ptr[i] - '0');
  }
  return number;
}

static int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

static void percent_decode(struct pubsub_view in, char *out, size_t out_bytes) {
  size_t len = 0;
  for (size_t i = 0; i < in.len && len + 1 < out_bytes; i++) {
    if (in.ptr[i] == '%' && i + 2 < in.len && hex_digit(in.ptr[i + 1]) >= 0 &&
        hex_digit(in.ptr[i + 2]) >= 0) {
      char c = (char)(hex_digit(in.ptr[i + 1]) * 16 + hex_digit(in.ptr[i + 2]));
      out[len++] = c ? c : ' ';
      i += 2;
    } else {
      out[len++] = (char)in.ptr[i];
    }
  }
  out[len] = '\0';
}

static int base64_digit(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

static void base64_decode(struct pubsub_view in, struct pubsub_buf *out) {
  uint32_t bits = 0;
  int bit_count = 0;
  out->len = 0;
  if (pubsub_buf_reserve(out, in.len) != PUBSUB_OK) return;
  for (size_t i = 0; i < in.len; i++) {
    int digit = base64_digit(in.ptr[i]);
    if (digit < 0) break; /* padding, or garbage */
    bits = bits << 6 | (uint32_t)digit;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      out->ptr[out->len++] = (uint8_t)(bits >> bit_count);
    }
  }
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
    percent_decode(header->value, call->grpc_message, sizeof call->grpc_message);
  } else if (is(header->name, "grpc-status-details-bin")) {
    base64_decode(header->value, &call->details);
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
