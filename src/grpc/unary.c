#include "grpc/unary.h"

#include "base/alloc.h"
#include "base/error.h"

struct pubsub_unary {
  struct pubsub_call *call;
  struct pubsub_buf response;
  pubsub_unary_done_fn *on_done;
  void *user;
  bool ended; /* on_done is being called, and the end follows */
};

static void unary_free(struct pubsub_unary *unary) {
  pubsub_buf_clear(&unary->response);
  pubsub_free(unary);
}

static enum pubsub_status on_begin(void *user, size_t message_bytes) {
  struct pubsub_unary *unary = user;
  unary->response.len = 0; /* of several messages the last one counts; there is one */
  return pubsub_buf_reserve(&unary->response, message_bytes);
}

static enum pubsub_status on_data(void *user, const uint8_t *data, size_t len) {
  struct pubsub_unary *unary = user;
  return pubsub_buf_append(&unary->response, data, len);
}

static enum pubsub_status on_end(void *user) {
  (void)user;
  return PUBSUB_OK;
}

static void on_closed(void *user, const struct pubsub_error *result, struct pubsub_view details) {
  struct pubsub_unary *unary = user;
  struct pubsub_view response = {0};
  if (result->status == PUBSUB_OK) {
    response = pubsub_view_of(unary->response.ptr, unary->response.len);
  }
  unary->ended = true;
  unary->on_done(unary->user, result, response, details);
  unary_free(unary);
}

static const struct pubsub_call_handler handler = {NULL, on_begin, on_data, on_end, on_closed};

enum pubsub_status pubsub_unary_start(struct pubsub_channel *channel,
                                      const struct pubsub_call_options *options,
                                      const struct pubsub_segment *take_segments, size_t count,
                                      pubsub_unary_done_fn *on_done, void *user,
                                      struct pubsub_unary **out, struct pubsub_error *error) {
  PUBSUB_ON_LOOP(pubsub_channel_loop(channel));
  struct pubsub_unary *unary = pubsub_alloc_zero(1, sizeof *unary);
  if (!unary) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  unary->on_done = on_done;
  unary->user = user;
  enum pubsub_status status =
      pubsub_call_start(channel, options, &handler, unary, &unary->call, error);
  if (status != PUBSUB_OK) {
    unary_free(unary);
    return status;
  }
  status = pubsub_call_send(unary->call, take_segments, count, true);
  if (status != PUBSUB_OK) {
    pubsub_unary_cancel(unary);
    return pubsub_error_set(error, status, "out of memory");
  }
  *out = unary;
  return PUBSUB_OK;
}

void pubsub_unary_cancel(struct pubsub_unary *unary) {
  if (unary->ended) return;
  pubsub_call_cancel(unary->call);
  unary_free(unary);
}
