/*
 * A proxy's answer on the wire, in pieces: the tunnel stands, or fails in words, and not a byte
 * behind the answer's head is read, because it belongs to the service.
 *
 * Input: how it is read, then what the proxy sends.
 */
#include "net/tunnel.h"
#include "support/fuzz.h"
#include "support/world.h"

static size_t head_bytes(struct pubsub_view answer) {
  for (size_t i = 4; i <= answer.len; i++) {
    if (memcmp(answer.ptr + i - 4, "\r\n\r\n", 4) == 0) return i;
  }
  return SIZE_MAX;
}

/* One event of the stream after another, until there is an outcome or nothing left to read. */
static int drive(struct pubsub_tunnel *tunnel, struct world_stream *stream,
                 struct fuzz_input *input, struct pubsub_error *error) {
  int outcome = PUBSUB_BYTESTREAM_AGAIN;
  while (outcome == PUBSUB_BYTESTREAM_AGAIN) {
    struct pubsub_view piece = fuzz_bytes(input, fuzz_u8(input) + 1u);
    stream->ended = input->left == 0;
    stream->blocked = piece.len % 5 == 4 && !stream->ended;
    world_stream_feed(stream, piece);
    outcome = pubsub_tunnel_step(tunnel, &stream->stream, error);
    FUZZ_CHECK(outcome != PUBSUB_BYTESTREAM_AGAIN || !stream->ended);
  }
  return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  struct pubsub_proxy proxy = {
      .host = "proxy", .port = 3128, .credentials = "c2VjcmV0OnNlY3JldA=="};
  struct pubsub_tunnel tunnel;
  struct pubsub_error error = {0};
  struct world_stream *stream = world_stream_new();
  FUZZ_CHECK(pubsub_tunnel_init(&tunnel, &proxy, "h.example", 443) == PUBSUB_OK);
  int outcome = drive(&tunnel, stream, &input, &error);
  size_t head = head_bytes(pubsub_view_of(stream->incoming.ptr, stream->incoming.len));
  FUZZ_CHECK(stream->at <= head && stream->at <= PUBSUB_PROXY_MAX_RESPONSE_BYTES);
  if (outcome == 1) {
    FUZZ_CHECK(stream->at == head && error.status == PUBSUB_OK);
  } else {
    FUZZ_CHECK(outcome == PUBSUB_BYTESTREAM_ERROR && error.text[0]);
    const struct pubsub_buf *said = &stream->incoming; /* the proxy's own words are told */
    bool echoed = said->len > 0 && memmem(said->ptr, said->len, "c2VjcmV0", 8) != NULL;
    FUZZ_CHECK(echoed || !strstr(error.text, "c2VjcmV0"));
  }
  pubsub_tunnel_clear(&tunnel);
  world_stream_free(stream);
  return 0;
}
