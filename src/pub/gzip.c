#include "pub/gzip.h"

#include "base/alloc.h"
#include <limits.h>
#include <zlib.h>

#define GZIP_FRAMING                                                                               \
  (15 + 16) /* the largest window, and gzip's head and checksum instead of zlib's */

static void *take(void *user, unsigned count, unsigned bytes) {
  (void)user;
  return pubsub_alloc_zero(count, bytes);
}

static void give(void *user, void *block) {
  (void)user;
  pubsub_free(block);
}

size_t pubsub_gzip(struct pubsub_view in, uint8_t *out, size_t room) {
  z_stream stream = {.zalloc = take, .zfree = give};
  if (in.len > UINT_MAX || room > UINT_MAX) return 0;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_FRAMING, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return 0;
  }
  stream.next_in = (Bytef *)(uintptr_t)in.ptr;
  stream.avail_in = (uInt)in.len;
  stream.next_out = out;
  stream.avail_out = (uInt)room;
  size_t len = deflate(&stream, Z_FINISH) == Z_STREAM_END ? (size_t)stream.total_out : 0;
  deflateEnd(&stream);
  return len;
}

const char *pubsub_gzip_library(void) {
  return zlibVersion();
}
