#include "local.h"

#include "base/container.h"
#include "base/error.h"

struct local_call {
  struct call call;
  bool answered;
  enum pubsub_status status;
  int *grpc_code;
  struct pubsub_error *error;
};

static struct local_call *of(const struct call *call) {
  return PUBSUB_CONTAINER_OF(call, struct local_call, call);
}

static void reply(struct call *call, const ProtobufCMessage *response) {
  (void)response;
  of(call)->answered = true;
}

static void reply_bytes(struct call *call, struct pubsub_buf *take_response) {
  pubsub_buf_clear(take_response);
  of(call)->answered = true;
}

static void fail(struct call *call, int grpc_code, const char *message,
                 struct pubsub_view details) {
  struct local_call *local = of(call);
  bool memory = grpc_code == PUBSUB_GRPC_RESOURCE_EXHAUSTED;
  (void)details;
  local->answered = true;
  *local->grpc_code = grpc_code;
  local->status =
      pubsub_error_set(local->error, memory ? PUBSUB_E_NOMEM : PUBSUB_E_INVALID, "%s", message);
}

static const struct answer_ops ops = {.reply = reply, .reply_bytes = reply_bytes, .fail = fail};

enum pubsub_status local_call(struct broker *broker, const struct method *method,
                              const ProtobufCMessage *request, int *grpc_code,
                              struct pubsub_error *error) {
  struct local_call local = {
      .call = {.method = method, .ops = &ops, .broker = broker, .timeout_us = UINT64_MAX},
      .grpc_code = grpc_code,
      .error = error};
  struct pubsub_buf bytes = {0};
  if (pubsub_buf_reserve(&bytes, protobuf_c_message_get_packed_size(request) + 1) != PUBSUB_OK) {
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  }
  bytes.len = protobuf_c_message_pack(request, bytes.ptr);
  call_receive(&local.call, &bytes);
  pubsub_buf_clear(&bytes);
  if (local.answered) return local.status;
  return pubsub_error_set(error, PUBSUB_E_INVALID, "%s does not answer at once", method->path);
}
