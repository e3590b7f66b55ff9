/* gRPC's frames, cut anywhere, against a reading of the whole. */
#include "grpc/frame.h"
#include "support/fuzz.h"
#include <stdlib.h>

#define MAX_BYTES 512

struct seen {
  struct pubsub_buf log; /* what the handler was told */
  bool inside;
  size_t promised, got;
};

static void put(struct seen *seen, const void *ptr, size_t len) {
  FUZZ_CHECK(pubsub_buf_append(&seen->log, ptr, len) == PUBSUB_OK);
}

static enum pubsub_status on_begin(void *user, size_t message_bytes, bool compressed) {
  struct seen *seen = user;
  FUZZ_CHECK(!seen->inside && message_bytes <= MAX_BYTES);
  seen->inside = true;
  seen->promised = message_bytes;
  seen->got = 0;
  uint8_t head[PUBSUB_FRAME_PREFIX_BYTES];
  pubsub_frame_prefix_write(head, message_bytes, compressed);
  put(seen, head, sizeof head);
  return PUBSUB_OK;
}

static enum pubsub_status on_data(void *user, const uint8_t *data, size_t len) {
  struct seen *seen = user;
  FUZZ_CHECK(seen->inside && len > 0);
  seen->got += len;
  put(seen, data, len);
  /* A handler may stop the feed. */
  return data[0] == 0xee ? PUBSUB_E_NOMEM : PUBSUB_OK;
}

static enum pubsub_status on_end(void *user) {
  struct seen *seen = user;
  FUZZ_CHECK(seen->inside && seen->got == seen->promised);
  seen->inside = false;
  return PUBSUB_OK;
}

static const struct pubsub_frame_handler handler = {on_begin, on_data, on_end};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  uint8_t mode = fuzz_u8(&input);
  struct fuzz_input cuts = {data, size};
  struct pubsub_view stream = fuzz_rest(&input);
  struct pubsub_frame_parser parser;
  struct seen seen = {0};
  enum pubsub_status status = PUBSUB_OK;
  pubsub_frame_parser_init(&parser, MAX_BYTES);
  size_t at = 0;
  while (status == PUBSUB_OK && at < stream.len) {
    size_t len = fuzz_split(&cuts, mode, stream.len - at);
    uint8_t *piece = fuzz_copy(pubsub_view_of(stream.ptr + at, len));
    status = pubsub_frame_parser_feed(&parser, &handler, &seen, piece, len);
    free(piece);
    at += len;
  }
  /* What was told is what came: no byte lost, none made up, whatever the cuts were. */
  FUZZ_CHECK(seen.log.len <= at);
  FUZZ_CHECK(seen.log.len == 0 || memcmp(seen.log.ptr, stream.ptr, seen.log.len) == 0);
  if (status == PUBSUB_OK) {
    FUZZ_CHECK(at - seen.log.len < PUBSUB_FRAME_PREFIX_BYTES);
    FUZZ_CHECK(pubsub_frame_parser_at_boundary(&parser) == (!seen.inside && at == seen.log.len));
  }
  pubsub_buf_clear(&seen.log);
  return 0;
}
