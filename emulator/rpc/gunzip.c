#include "rpc/gunzip.h"

#include <zlib.h>

bool gunzip(struct pubsub_buf *bytes, size_t max_bytes) {
  z_stream stream = {.next_in = bytes->ptr, .avail_in = (unsigned)bytes->len};
  struct pubsub_buf out = {0};
  int result = Z_OK;
  if (inflateInit2(&stream, 15 + 32) != Z_OK) return false;
  while (result == Z_OK && out.len <= max_bytes) {
    if (pubsub_buf_reserve(&out, 65536) != PUBSUB_OK) break;
    stream.next_out = out.ptr + out.len;
    stream.avail_out = (unsigned)(out.cap - out.len);
    result = inflate(&stream, Z_NO_FLUSH);
    out.len = out.cap - stream.avail_out;
    if (result == Z_BUF_ERROR) break;
  }
  inflateEnd(&stream);
  pubsub_buf_clear(bytes);
  *bytes = out;
  return result == Z_STREAM_END && out.len <= max_bytes;
}
