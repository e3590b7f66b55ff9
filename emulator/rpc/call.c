#include "rpc/call.h"

#include "rpc/nesting.h"
#include "rpc/well_known.h"
#include <pubsub/error.h>
#include <stdarg.h>
#include <stdio.h>

/* NULL: the call was failed. */
static ProtobufCMessage *unpack(struct call *call, const struct pubsub_buf *bytes) {
  if (!nesting_is_bounded(call->method->request, pubsub_view_of(bytes->ptr, bytes->len))) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "the request is nested too deeply");
    return NULL;
  }
  ProtobufCMessage *message = protobuf_c_message_unpack(
      call->method->request, NULL, bytes->len, bytes->ptr ? bytes->ptr : (const uint8_t *)"");
  if (!message) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "the request cannot be parsed");
    return NULL;
  }
  const char *bad = well_known_bad_field(message);
  if (!bad) return message;
  call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "Invalid %s: not a valid time or duration.", bad);
  protobuf_c_message_free_unpacked(message, NULL);
  return NULL;
}

void call_receive(struct call *call, struct pubsub_buf *take_request) {
  if (call->method->on_bytes) {
    call->method->on_bytes(call, take_request);
    return;
  }
  call->request = unpack(call, take_request);
  if (!call->request) return;
  call->method->on_request(call, call->request);
  if (call->request) protobuf_c_message_free_unpacked(call->request, NULL);
  call->request = NULL;
}

void *call_take_request(struct call *call) {
  void *request = call->request;
  call->request = NULL;
  return request;
}

void call_reply(struct call *call, const ProtobufCMessage *response) {
  call->ops->reply(call, response);
}

void call_reply_bytes(struct call *call, struct pubsub_buf *take_response) {
  call->ops->reply_bytes(call, take_response);
}

void call_reply_empty(struct call *call) {
  struct pubsub_buf nothing = {0};
  call->ops->reply_bytes(call, &nothing);
}

void call_fail(struct call *call, int grpc_code, const char *format, ...) {
  char message[512];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  call->ops->fail(call, grpc_code, message, (struct pubsub_view){0});
}

void call_fail_with(struct call *call, int grpc_code, const char *message,
                    struct pubsub_view details) {
  call->ops->fail(call, grpc_code, message, details);
}

void call_start(struct call *call) {
  call->ops->start(call);
}

void call_send(struct call *call, const struct pubsub_segment *take_segments, size_t count) {
  call->ops->send(call, take_segments, count);
}

void call_finish(struct call *call) {
  call->ops->finish(call);
}

size_t call_queued_bytes(const struct call *call) {
  return call->ops->queued_bytes(call);
}

void call_delay(struct call *call, uint64_t us) {
  call->ops->delay(call, us);
}

void call_disturb(struct call *call, enum disturbance how) {
  call->ops->disturb(call, how);
}
