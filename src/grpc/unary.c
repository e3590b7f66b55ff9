/* A call with one request and one response, collected whole. */
#include "grpc/call.h"

#include "base/error.h"

static enum pubsub_status on_begin(void *user, size_t message_bytes) {
  struct pubsub_call *call = user;
  call->response.len = 0; /* of several messages the last one counts; there is one */
  return pubsub_buf_reserve(&call->response, message_bytes);
}

static enum pubsub_status on_data(void *user, const uint8_t *data, size_t len) {
  struct pubsub_call *call = user;
  return pubsub_buf_append(&call->response, data, len);
}

static enum pubsub_status on_end(void *user) {
  (void)user;
  return PUBSUB_OK;
}

static void on_closed(void *user, const struct pubsub_error *result, struct pubsub_view details) {
  struct pubsub_call *call = user;
  struct pubsub_view response = {0};
  if (result->status == PUBSUB_OK) {
    response = pubsub_view_of(call->response.ptr, call->response.len);
  }
  call->unary_done(call->unary_user, result, response, details);
}

static const struct pubsub_call_handler unary_handler = {NULL, on_begin, on_data, on_end,
                                                         on_closed};

enum pubsub_status pubsub_unary_start(struct pubsub_channel *channel,
                                      const struct pubsub_call_options *options,
                                      const struct pubsub_segment *take_segments, size_t count,
                                      pubsub_unary_done_fn *on_done, void *user,
                                      struct pubsub_call **out, struct pubsub_error *error) {
  struct pubsub_call *call;
  enum pubsub_status status =
      pubsub_call_start(channel, options, &unary_handler, NULL, &call, error);
  if (status != PUBSUB_OK) return status;
  call->user = call;
  call->unary_done = on_done;
  call->unary_user = user;
  status = pubsub_call_send(call, take_segments, count, true);
  if (status != PUBSUB_OK) {
    pubsub_call_cancel(call);
    return pubsub_error_set(error, status, "out of memory");
  }
  *out = call;
  return PUBSUB_OK;
}
