#include "support/frames.h"

#include "grpc/frame.h"

#define MAX_PAYLOAD 16384

static void put(struct pubsub_buf *out, const void *ptr, size_t len) {
  if (len > 0) FUZZ_CHECK(pubsub_buf_append(out, ptr, len) == PUBSUB_OK);
}

static void put_head(struct pubsub_buf *out, size_t len, uint8_t type, uint8_t flags,
                     uint32_t stream) {
  uint8_t head[9] = {(uint8_t)(len >> 16),
                     (uint8_t)(len >> 8),
                     (uint8_t)len,
                     type,
                     flags,
                     (uint8_t)(stream >> 24),
                     (uint8_t)(stream >> 16),
                     (uint8_t)(stream >> 8),
                     (uint8_t)stream};
  put(out, head, sizeof head);
}

void frame_put(struct pubsub_buf *out, uint8_t type, uint8_t flags, uint32_t stream,
               struct pubsub_view payload) {
  put_head(out, payload.len, type, flags, stream);
  put(out, payload.ptr, payload.len);
}

/* An HPACK integer with a prefix of 7 bits (RFC 7541, 5.1). */
static void put_length(struct pubsub_buf *out, size_t len) {
  uint8_t byte = len < 127 ? (uint8_t)len : 127;
  put(out, &byte, 1);
  if (len < 127) return;
  for (len -= 127; len >= 128; len >>= 7) {
    byte = (uint8_t)(len | 128);
    put(out, &byte, 1);
  }
  byte = (uint8_t)len;
  put(out, &byte, 1);
}

void frame_put_header(struct pubsub_buf *block, const char *name, struct pubsub_view value) {
  put(block, "\0", 1);
  put_length(block, strlen(name));
  put(block, name, strlen(name));
  put_length(block, value.len);
  put(block, value.ptr, value.len);
}

void frames_put_preface(struct pubsub_buf *out) {
  static const char magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
  static const uint8_t settings[] = {0, 4, 0x7f, 0xff, 0xff, 0xff}; /* INITIAL_WINDOW_SIZE */
  static const uint8_t window[] = {0x7f, 0xff, 0, 0};
  put(out, magic, sizeof magic - 1);
  frame_put(out, FRAME_SETTINGS, 0, 0, pubsub_view_of(settings, sizeof settings));
  frame_put(out, FRAME_WINDOW_UPDATE, 0, 0, pubsub_view_of(window, sizeof window));
}

void frames_put_message(struct pubsub_buf *out, uint32_t stream, struct pubsub_view message,
                        bool end) {
  struct pubsub_buf body = {0};
  uint8_t prefix[PUBSUB_FRAME_PREFIX_BYTES];
  pubsub_frame_prefix_write(prefix, message.len, false);
  put(&body, prefix, sizeof prefix);
  put(&body, message.ptr, message.len);
  for (size_t at = 0; at < body.len; at += MAX_PAYLOAD) {
    size_t len = body.len - at < MAX_PAYLOAD ? body.len - at : MAX_PAYLOAD;
    uint8_t flags = end && at + len == body.len ? FLAG_END_STREAM : 0;
    frame_put(out, FRAME_DATA, flags, stream, pubsub_view_of(body.ptr + at, len));
  }
  pubsub_buf_clear(&body);
}

static uint32_t any_stream(struct fuzz_input *input) {
  uint8_t byte = fuzz_u8(input);
  return byte < 250 ? byte % 32 : fuzz_u32(input);
}

static void put_any_headers(struct pubsub_buf *out, struct fuzz_input *input, uint8_t type,
                            const struct frame_header *table, size_t table_count) {
  struct pubsub_buf block = {0};
  uint32_t stream = any_stream(input);
  uint8_t flags = fuzz_u8(input), count = fuzz_u8(input) % 24;
  while (count-- > 0) {
    uint8_t index = fuzz_u8(input);
    if (index < table_count) {
      frame_put_header(&block, table[index].name, pubsub_view_str(table[index].value));
    } else if (index < 128) { /* its name, another value */
      frame_put_header(&block, table[index % table_count].name, fuzz_bytes(input, fuzz_u8(input)));
    } else { /* as HPACK has it */
      struct pubsub_view raw = fuzz_bytes(input, index - 127u);
      put(&block, raw.ptr, raw.len);
    }
  }
  frame_put(out, type, flags, stream, pubsub_view_of(block.ptr, block.len));
  pubsub_buf_clear(&block);
}

static void put_any_message(struct pubsub_buf *out, struct fuzz_input *input) {
  uint32_t stream = any_stream(input);
  uint8_t flags = fuzz_u8(input);
  struct pubsub_view message = fuzz_bytes(input, fuzz_u8(input) * (flags & 2 ? 64u : 1u));
  frames_put_message(out, stream, message, flags & 1);
}

void frames_put_any(struct pubsub_buf *out, struct fuzz_input *input,
                    const struct frame_header *table, size_t table_count) {
  uint8_t kind = fuzz_u8(input) % 16;
  if (kind == 10 || kind == 15) {
    uint8_t type = kind == 10 ? FRAME_HEADERS : FRAME_CONTINUATION;
    put_any_headers(out, input, type, table, table_count);
  } else if (kind == 11 || kind == 12) {
    put_any_message(out, input);
  } else if (kind == 13) {
    struct pubsub_view raw = fuzz_bytes(input, fuzz_u8(input));
    put(out, raw.ptr, raw.len);
  } else { /* 14: with a length that may be wrong */
    uint8_t type = kind == 14 ? fuzz_u8(input) : kind, flags = fuzz_u8(input);
    uint32_t stream = any_stream(input);
    struct pubsub_view payload = fuzz_bytes(input, fuzz_u8(input));
    put_head(out, kind == 14 ? fuzz_u8(input) : payload.len, type, flags, stream);
    put(out, payload.ptr, payload.len);
  }
}
