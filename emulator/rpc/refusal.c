#include "rpc/refusal.h"

#include "h2/errors.h"

static struct pubsub_h2_header header(const char *name, const char *value) {
  return (struct pubsub_h2_header){pubsub_view_str(name), pubsub_view_str(value), false};
}

static void on_data(void *user, struct pubsub_h2_stream *stream, const uint8_t *data, size_t len) {
  (void)user;
  (void)data;
  pubsub_h2_stream_consume(stream, len);
}

static void on_closed(void *user, struct pubsub_h2_stream *stream, uint32_t h2_error,
                      const struct pubsub_error *why) {
  (void)user;
  (void)stream;
  (void)h2_error;
  (void)why;
}

static const struct pubsub_h2_stream_handler grpc = {.on_data = on_data, .on_closed = on_closed};

void refuse_grpc(struct pubsub_h2_stream *stream, const char *grpc_status, const char *message) {
  struct pubsub_h2_header headers[] = {
      header(":status", "200"), header("content-type", "application/grpc"),
      header("grpc-status", grpc_status), header("grpc-message", message)};
  pubsub_h2_stream_bind(stream, &grpc, NULL);
  if (pubsub_h2_stream_respond(stream, headers, 4, true) != PUBSUB_OK) {
    pubsub_h2_stream_reset(stream, PUBSUB_H2_INTERNAL_ERROR);
  }
}
