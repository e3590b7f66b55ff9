#include "base/bytes.h"

#include "base/alloc.h"
#include "base/wipe.h"

enum pubsub_status pubsub_buf_reserve(struct pubsub_buf *buf, size_t more) {
  if (more <= buf->cap - buf->len) return PUBSUB_OK;
  if (more > SIZE_MAX / 4 || buf->len > SIZE_MAX / 4) return PUBSUB_E_NOMEM;
  size_t cap = buf->cap < 64 ? 64 : buf->cap;
  while (cap - buf->len < more)
    cap *= 2;
  uint8_t *ptr = pubsub_realloc(buf->ptr, cap);
  if (!ptr) return PUBSUB_E_NOMEM;
  buf->ptr = ptr;
  buf->cap = cap;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_buf_append(struct pubsub_buf *buf, const void *ptr, size_t len) {
  if (pubsub_buf_reserve(buf, len) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  if (len > 0) memcpy(buf->ptr + buf->len, ptr, len);
  buf->len += len;
  return PUBSUB_OK;
}

void pubsub_buf_clear(struct pubsub_buf *buf) {
  pubsub_free(buf->ptr);
  *buf = (struct pubsub_buf){0};
}

void pubsub_buf_wipe(struct pubsub_buf *buf) {
  if (buf->ptr) pubsub_wipe(buf->ptr, buf->cap);
  pubsub_buf_clear(buf);
}

struct pubsub_segment pubsub_segment_from_buf(struct pubsub_buf *take_buf) {
  struct pubsub_segment segment = {take_buf->ptr, take_buf->len, pubsub_free, take_buf->ptr};
  *take_buf = (struct pubsub_buf){0};
  return segment;
}
