#include "rpc/http.h"

#include "h2/errors.h"
#include <string.h>

static struct pubsub_h2_header header(const char *name, const char *value) {
  return (struct pubsub_h2_header){pubsub_view_str(name), pubsub_view_str(value), false};
}

static void on_data(void *user, struct pubsub_h2_stream *stream, const uint8_t *data, size_t len) {
  (void)user;
  (void)data;
  pubsub_h2_stream_consume(stream, len);
}

static void on_end_http(void *user, struct pubsub_h2_stream *stream) {
  const struct refusal *refusal = user;
  struct pubsub_h2_header headers[] = {header(":status", refusal->http_status),
                                       header("content-type", "text/plain; charset=utf-8")};
  struct pubsub_segment body = {(const uint8_t *)refusal->text, strlen(refusal->text), NULL, NULL};
  if (pubsub_h2_stream_respond(stream, headers, 2, false) != PUBSUB_OK ||
      pubsub_h2_stream_send(stream, &body, 1, true) != PUBSUB_OK) {
    pubsub_h2_stream_reset(stream, PUBSUB_H2_INTERNAL_ERROR);
  }
}

static void on_closed(void *user, struct pubsub_h2_stream *stream, uint32_t h2_error,
                      const struct pubsub_error *why) {
  (void)user;
  (void)stream;
  (void)h2_error;
  (void)why;
}

static const struct pubsub_h2_stream_handler grpc = {.on_data = on_data, .on_closed = on_closed};
static const struct pubsub_h2_stream_handler http = {
    .on_data = on_data, .on_end = on_end_http, .on_closed = on_closed};

void refuse_grpc(struct pubsub_h2_stream *stream, const char *grpc_status, const char *message) {
  struct pubsub_h2_header headers[] = {
      header(":status", "200"), header("content-type", "application/grpc"),
      header("grpc-status", grpc_status), header("grpc-message", message)};
  pubsub_h2_stream_bind(stream, &grpc, NULL);
  if (pubsub_h2_stream_respond(stream, headers, 4, true) != PUBSUB_OK) {
    pubsub_h2_stream_reset(stream, PUBSUB_H2_INTERNAL_ERROR);
  }
}

void refuse_http(struct pubsub_h2_stream *stream, const struct refusal *refusal) {
  pubsub_h2_stream_bind(stream, &http, (void *)(uintptr_t)refusal);
}
