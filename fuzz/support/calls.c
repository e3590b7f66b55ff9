#include "support/calls.h"

#include "support/frames.h"

#define PREFACE_BYTES 24
#define HEAD_BYTES 9

void calls_init(struct calls *calls) {
  *calls = (struct calls){0};
  FUZZ_CHECK(nghttp2_hd_inflate_new(&calls->inflater) == 0);
}

void calls_clear(struct calls *calls) {
  nghttp2_hd_inflate_del(calls->inflater);
  calls->inflater = NULL;
}

void calls_end(struct calls *calls, size_t index) {
  memmove(&calls->open[index], &calls->open[index + 1],
          (--calls->count - index) * sizeof *calls->open);
}

static void forget(struct calls *calls, uint32_t stream) {
  for (size_t i = 0; i < calls->count; i++) {
    if (calls->open[i].stream == stream) {
      calls_end(calls, i);
      return;
    }
  }
}

/* A client's header block is in one frame: it is short. */
static void read_headers(struct calls *calls, uint32_t stream, struct pubsub_view block) {
  struct call call = {.stream = stream};
  while (block.len > 0) {
    nghttp2_nv header;
    int flags = 0;
    ssize_t used =
        nghttp2_hd_inflate_hd2(calls->inflater, &header, &flags, block.ptr, block.len, 1);
    FUZZ_CHECK(used >= 0); /* our own client has written it */
    block = pubsub_view_of(block.ptr + used, block.len - (size_t)used);
    if (flags & NGHTTP2_HD_INFLATE_EMIT && header.namelen == 5 &&
        memcmp(header.name, ":path", 5) == 0 && header.valuelen < sizeof call.path) {
      memcpy(call.path, header.value, header.valuelen);
    }
    if (flags & NGHTTP2_HD_INFLATE_FINAL) break;
  }
  nghttp2_hd_inflate_end_headers(calls->inflater);
  if (calls->count == CALLS_MAX) calls_end(calls, 0);
  calls->open[calls->count++] = call;
}

static size_t read_frame(struct calls *calls, struct pubsub_view bytes) {
  const uint8_t *head = bytes.ptr;
  if (bytes.len < HEAD_BYTES) return 0;
  size_t len = (size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2];
  uint32_t stream = (uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 |
                    (uint32_t)head[8];
  if (bytes.len < HEAD_BYTES + len) return 0;
  if (head[3] == FRAME_HEADERS) {
    read_headers(calls, stream, pubsub_view_of(head + HEAD_BYTES, len));
  } else if (head[3] == FRAME_RST_STREAM) {
    forget(calls, stream);
  }
  return HEAD_BYTES + len;
}

void calls_read(struct calls *calls, struct pubsub_buf *written) {
  size_t at = 0, taken;
  if (calls->preface < PREFACE_BYTES) {
    size_t part = PREFACE_BYTES - calls->preface;
    at = part < written->len ? part : written->len;
    calls->preface += at;
  }
  while ((taken = read_frame(calls, pubsub_view_of(written->ptr + at, written->len - at))) > 0)
    at += taken;
  if (at > 0 && at < written->len) memmove(written->ptr, written->ptr + at, written->len - at);
  written->len -= at;
}
