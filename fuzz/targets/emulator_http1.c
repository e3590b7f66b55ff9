/*
 * Bytes of HTTP/1.1 into the whole emulator. What it says does not depend on how the bytes are cut,
 * begins as an answer of HTTP does, and nothing is left when its peer has gone.
 *
 * Input: flags, then what a client sends. 1: the client goes when it has said all; 2: writes are
 * not taken at first; 4: a minute passes at the end.
 */
#include "server.h"
#include "support/fuzz.h"
#include "support/world.h"
#include <stdlib.h>

struct outcome {
  size_t bytes;
  bool closed;
};

static void drive(struct pubsub_loop *loop, struct world_stream *stream, uint8_t flags) {
  stream->blocked = flags & 2;
  world_run(loop, &stream, 1, 3);
  while (!stream->destroyed && stream->at < stream->incoming.len) {
    size_t before = stream->at;
    world_run(loop, &stream, 1, 50);
    if (stream->at == before) break; /* it waits for us to take something, or for time */
  }
  stream->blocked = false;
  stream->ended = flags & 1;
  world_run(loop, &stream, 1, 20);
  if (flags & 4) world_now_us += UINT64_C(60000000);
  world_run(loop, &stream, 1, 20);
}

static void check_answer(const struct world_stream *stream, struct pubsub_view text) {
  bool http2 = text.len >= 4 && memcmp(text.ptr, "PRI ", 4) == 0;
  if (http2 || stream->outgoing == 0 || stream->outgoing > stream->written.len) return;
  FUZZ_CHECK(stream->written.len >= 9 && memcmp(stream->written.ptr, "HTTP/1.1 ", 9) == 0);
}

static struct outcome run(struct pubsub_view text, uint8_t flags, size_t piece) {
  struct server_options options = {.address = "127.0.0.1"};
  struct pubsub_loop *loop;
  struct server *server;
  world_start();
  FUZZ_CHECK(pubsub_loop_new(&loop, NULL) == PUBSUB_OK);
  FUZZ_CHECK(server_new(loop, &options, &server, NULL) == PUBSUB_OK);
  FUZZ_CHECK(server_add_subscription(server, "projects/p/subscriptions/sub=projects/p/topics/top",
                                     NULL) == PUBSUB_OK);
  struct world_stream *stream = world_stream_new();
  stream->piece = piece;
  world_stream_feed(stream, text);
  world_connect(stream);
  drive(loop, stream, flags);
  check_answer(stream, text);
  struct outcome outcome = {stream->outgoing, stream->destroyed};
  server_destroy(server);
  world_run(loop, &stream, 1, 2);
  FUZZ_CHECK(stream->destroyed);
  pubsub_loop_destroy(loop);
  world_stream_free(stream);
  return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  uint8_t flags = fuzz_u8(&input);
  struct pubsub_view text = fuzz_rest(&input);
  uint8_t *copy = fuzz_copy(text);
  struct pubsub_view bytes = pubsub_view_of(copy, text.len);
  struct outcome whole = run(bytes, flags, 0), cut = run(bytes, flags, 7);
  bool http2 = text.len >= 4 && memcmp(text.ptr, "PRI ", 4) == 0;
  FUZZ_CHECK(http2 || (whole.bytes == cut.bytes && whole.closed == cut.closed));
  free(copy);
  return 0;
}
