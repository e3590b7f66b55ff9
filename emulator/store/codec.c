#include "store/codec.h"

#include "proto/wire.h"

void entry_begin(struct pubsub_buf *out, enum entry_kind kind) {
  out->ptr[out->len++] = (uint8_t)kind;
}

void entry_number(struct pubsub_buf *out, uint64_t value) {
  out->len = (size_t)(pubsub_varint_write(out->ptr + out->len, value) - out->ptr);
}

void entry_bytes(struct pubsub_buf *out, const void *ptr, size_t len) {
  entry_number(out, len);
  if (len > 0) memcpy(out->ptr + out->len, ptr, len);
  out->len += len;
}

uint64_t entries_number(struct entries *entries) {
  uint64_t value = 0;
  const uint8_t *next =
      entries->bad ? NULL : pubsub_varint_read(entries->ptr, entries->end, &value);
  entries->bad = !next;
  if (!next) return 0;
  entries->ptr = next;
  return value;
}

struct pubsub_view entries_bytes(struct entries *entries) {
  uint64_t len = entries_number(entries);
  if (entries->bad || len > (uint64_t)(entries->end - entries->ptr)) {
    entries->bad = true;
    return (struct pubsub_view){0};
  }
  struct pubsub_view bytes = pubsub_view_of(entries->ptr, (size_t)len);
  entries->ptr += len;
  return bytes;
}

/* ---- messages ---- */

enum { RETAINED = 1, ATTEMPTS = 2, BACKWARDS = 4 };

void entry_content(struct pubsub_buf *out, uint64_t before, const struct content *content) {
  bool backwards = content->id < before;
  uint64_t flags = (content->retained ? RETAINED : 0u) | (content->attempts > 0 ? ATTEMPTS : 0u) |
                   (backwards ? BACKWARDS : 0u);
  entry_number(out, (backwards ? before - content->id : content->id - before) << 3 | flags);
  if (content->attempts > 0) entry_number(out, content->attempts);
}

struct content entries_content(struct entries *entries, uint64_t before) {
  uint64_t head = entries_number(entries), distance = head >> 3;
  struct content content = {.id = head & BACKWARDS ? before - distance : before + distance,
                            .retained = head & RETAINED};
  if (head & ATTEMPTS) content.attempts = (unsigned)entries_number(entries);
  if (content.attempts > UINT16_MAX) entries->bad = true;
  return content;
}
