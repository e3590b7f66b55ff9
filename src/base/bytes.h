/* Borrowed bytes (view, public: pubsub/types.h), owned growing bytes (buf), and segments that carry
 * their owner along. */
#ifndef PUBSUB_BASE_BYTES_H
#define PUBSUB_BASE_BYTES_H

#include <pubsub/error.h>
#include <pubsub/types.h>
#include <string.h>

static inline struct pubsub_view pubsub_view_of(const void *ptr, size_t len) {
  return (struct pubsub_view){(const uint8_t *)ptr, len};
}
static inline struct pubsub_view pubsub_view_str(const char *text) {
  return (struct pubsub_view){(const uint8_t *)text, strlen(text)};
}
static inline bool pubsub_view_equal(struct pubsub_view a, struct pubsub_view b) {
  return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Owned; zero-initialised is empty. Capacity doubles. */
struct pubsub_buf {
  uint8_t *ptr;
  size_t len, cap;
};

/* Room for `more` bytes after len. On failure unchanged. Errors: NOMEM. */
enum pubsub_status pubsub_buf_reserve(struct pubsub_buf *buf, size_t more);
enum pubsub_status pubsub_buf_append(struct pubsub_buf *buf, const void *ptr, size_t len);
void pubsub_buf_clear(struct pubsub_buf *buf); /* frees */
void pubsub_buf_wipe(struct pubsub_buf *buf);  /* overwrites and frees: for secrets */

/* Bytes to send, with what keeps them alive. Whoever takes a segment calls release(owner) exactly
 * once when the bytes are no longer needed (sent, or given up). release NULL: static bytes. */
struct pubsub_segment {
  const uint8_t *ptr;
  size_t len;
  void (*release)(void *owner);
  void *owner;
};
/* Moves buf's memory into a segment (buf becomes empty). Its release frees that memory. */
struct pubsub_segment pubsub_segment_from_buf(struct pubsub_buf *take_buf);

#endif
