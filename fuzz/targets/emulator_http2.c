/*
 * Bytes from a client into the emulator, as HTTP/2: frames of any kind in any order, and bytes that
 * are none. Whatever they are, the server answers or ends the connection, and lets everything go
 * when it is destroyed.
 *
 * Input: how it is read, then frames (support/frames.h); between them the clock moves, and the
 * connection may end.
 */
#include "server.h"
#include "support/frames.h"
#include "support/world.h"

static const struct frame_header table[] = {
    {":method", "POST"},
    {":scheme", "http"},
    {":path", "/google.pubsub.v1.Publisher/Publish"},
    {":path", "/google.pubsub.v1.Subscriber/StreamingPull"},
    {":path", "/google.pubsub.v1.Subscriber/Pull"},
    {":path", "/google.pubsub.v1.Subscriber/Acknowledge"},
    {":path", "/google.pubsub.v1.Publisher/CreateTopic"},
    {":path", "/pubsub.emulator.v1.Control/Command"},
    {":path", "/pubsub.emulator.v1.Control/Record"},
    {":path", "/grpc.health.v1.Health/Check"},
    {":path", "/nothing"},
    {":method", "GET"},
    {":authority", "localhost"},
    {"content-type", "application/grpc"},
    {"content-type", "text/plain"},
    {"te", "trailers"},
    {"grpc-encoding", "gzip"},
    {"grpc-timeout", "1S"},
    {"authorization", "Bearer x"},
    {"connection", "close"},
    {"content-length", "7"},
};

static void feed(struct fuzz_input *input, struct world_stream *stream) {
  struct pubsub_buf bytes = {0};
  uint8_t many = fuzz_u8(input) % 4;
  do {
    frames_put_any(&bytes, input, table, sizeof table / sizeof *table);
  } while (many-- > 0 && input->left > 0);
  world_stream_feed(stream, pubsub_view_of(bytes.ptr, bytes.len));
  pubsub_buf_clear(&bytes);
}

static void start(struct world_stream *stream, uint8_t flags) {
  struct pubsub_buf bytes = {0};
  if (flags & 1) return; /* the input brings its own, or none */
  frames_put_preface(&bytes);
  world_stream_feed(stream, pubsub_view_of(bytes.ptr, bytes.len));
  pubsub_buf_clear(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  struct server_options options = {.address = "127.0.0.1"};
  struct pubsub_loop *loop;
  struct server *server;
  world_start();
  FUZZ_CHECK(pubsub_loop_new(&loop, NULL) == PUBSUB_OK);
  FUZZ_CHECK(server_new(loop, &options, &server, NULL) == PUBSUB_OK);
  FUZZ_CHECK(server_add_subscription(server, "projects/p/subscriptions/sub0=projects/p/topics/top0",
                                     NULL) == PUBSUB_OK);
  struct world_stream *stream = world_stream_new();
  uint8_t flags = fuzz_u8(&input);
  stream->piece = flags & 2 ? fuzz_u8(&input) : 0;
  world_connect(stream);
  start(stream, flags);
  while (input.left > 0 && !stream->destroyed) {
    stream->blocked = flags & 4 && fuzz_u8(&input) & 1;
    feed(&input, stream);
    world_run(loop, &stream, 1, 3);
    if (flags & 8) world_now_us += (uint64_t)fuzz_u8(&input) * 1000000;
  }
  stream->blocked = false;
  stream->ended = flags & 16;
  world_run(loop, &stream, 1, 3);
  server_destroy(server);
  world_run(loop, &stream, 1, 2);
  FUZZ_CHECK(stream->destroyed);
  pubsub_loop_destroy(loop);
  world_stream_free(stream);
  return 0;
}
