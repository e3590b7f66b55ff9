#include "command.h"

#include "base/container.h"
#include "proto/wire.h"
#include <pubsub/error.h>

#define COMMAND "/pubsub.emulator.v1.Control/Command"
#define MOST_BYTES 500

enum { TEXT = 1 << 3 | 2 };

struct command {
  struct call call;
  struct exchange *exchange;
};

static struct exchange *exchange_of(const struct call *call) {
  return PUBSUB_CONTAINER_OF(call, struct command, call)->exchange;
}

/* A google.protobuf.StringValue: its text. */
static void reply_bytes(struct call *call, struct pubsub_buf *take_response) {
  struct http_response response = {.status = 200, .content_type = "text/plain; charset=utf-8"};
  const uint8_t *ptr = take_response->ptr, *end = ptr + take_response->len;
  struct pubsub_wire_field field;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (ptr && field.tag == TEXT) {
      pubsub_buf_append(&response.body, field.value.ptr, field.value.len);
    }
  }
  pubsub_buf_clear(take_response);
  exchange_respond(exchange_of(call), &response);
}

static void fail(struct call *call, int grpc_code, const char *message,
                 struct pubsub_view details) {
  (void)details;
  exchange_respond_text(exchange_of(call), grpc_code == PUBSUB_GRPC_INVALID_ARGUMENT ? 400 : 503,
                        message);
}

static void disturb(struct call *call, enum disturbance how) {
  (void)how;
  exchange_respond_text(exchange_of(call), 400, "this command is for the control endpoint of gRPC");
}

static const struct answer_ops ops = {.reply_bytes = reply_bytes, .fail = fail, .disturb = disturb};

void command_serve(const struct service *service, struct exchange *exchange) {
  const struct pubsub_buf *body = &exchange->request.body;
  const struct method *method = method_find(service->tables, pubsub_view_str(COMMAND));
  struct command command = {
      .call = {.method = method, .ops = &ops, .broker = service->broker, .timeout_us = UINT64_MAX},
      .exchange = exchange};
  struct pubsub_buf request = {0};
  if (!method || body->len == 0 || body->len > MOST_BYTES) {
    exchange_respond_text(exchange, 400, "the body must be a command of at most 500 bytes");
  } else if (pubsub_buf_reserve(&request, pubsub_wire_len_bytes(body->len)) != PUBSUB_OK) {
    exchange_respond_text(exchange, 503, "out of memory");
  } else {
    const uint8_t *end = pubsub_wire_write_bytes(request.ptr, TEXT, body->ptr, body->len);
    request.len = (size_t)(end - request.ptr);
    call_receive(&command.call, &request);
  }
  pubsub_buf_clear(&request);
}
