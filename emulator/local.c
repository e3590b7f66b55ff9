#include "local.h"

#include "base/container.h"
#include "base/error.h"
#include "proto/wire.h"

enum { TEXT = 1 << 3 | 2 }; /* the field of google.protobuf.StringValue */

struct local_call {
  struct call call;
  bool answered;
  enum pubsub_status status;
  int *grpc_code;
  struct pubsub_buf *response; /* NULL: it is dropped */
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
  struct local_call *local = of(call);
  if (local->response) {
    *local->response = *take_response;
    *take_response = (struct pubsub_buf){0};
  }
  pubsub_buf_clear(take_response);
  local->answered = true;
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

static enum pubsub_status take_text(const struct pubsub_buf *response, struct pubsub_buf *out) {
  const uint8_t *ptr = response->ptr, *end = ptr + response->len;
  struct pubsub_wire_field field;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (ptr && field.tag == TEXT) return pubsub_buf_append(out, field.value.ptr, field.value.len);
  }
  return PUBSUB_OK;
}

enum pubsub_status local_command(struct broker *broker, const struct method *method,
                                 const char *text, struct pubsub_buf *out,
                                 struct pubsub_error *error) {
  int grpc_code = 0;
  struct pubsub_buf request = {0}, response = {0};
  struct local_call local = {
      .call = {.method = method, .ops = &ops, .broker = broker, .timeout_us = UINT64_MAX},
      .grpc_code = &grpc_code,
      .response = &response,
      .error = error};
  size_t len = strlen(text);
  enum pubsub_status status = pubsub_buf_reserve(&request, pubsub_wire_len_bytes(len));
  if (status == PUBSUB_OK) {
    request.len = (size_t)(pubsub_wire_write_bytes(request.ptr, TEXT, text, len) - request.ptr);
    call_receive(&local.call, &request);
    status = local.status;
    if (status == PUBSUB_OK) status = take_text(&response, out);
  }
  if (status == PUBSUB_E_NOMEM) pubsub_error_set(error, status, "out of memory");
  pubsub_buf_clear(&request);
  pubsub_buf_clear(&response);
  return status;
}
