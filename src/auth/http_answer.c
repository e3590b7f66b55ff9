#include "auth/http_answer.h"

#include "base/error.h"
#include <strings.h>

void pubsub_http_answer_clear(struct pubsub_http_answer *answer) {
  pubsub_buf_clear(&answer->line);
  pubsub_buf_wipe(&answer->body);
}

static enum pubsub_status malformed(struct pubsub_error *error) {
  return pubsub_error_set(error, PUBSUB_E_PROTOCOL, "the answer is no HTTP/1.1 response");
}

static enum pubsub_status too_large(struct pubsub_error *error) {
  return pubsub_error_set(error, PUBSUB_E_PROTOCOL, "the answer is too large");
}

static const char *text_of(const struct pubsub_http_answer *answer) {
  return (const char *)answer->line.ptr;
}

/* "HTTP/1.1 200 OK" */
static bool read_status(struct pubsub_http_answer *answer) {
  const char *line = text_of(answer);
  if (strncmp(line, "HTTP/1.", 7) != 0 || strlen(line) < 12 || line[8] != ' ') return false;
  for (int i = 9; i < 12; i++) {
    if (line[i] < '0' || line[i] > '9') return false;
    answer->status = answer->status * 10 + (line[i] - '0');
  }
  return answer->status >= 100 && answer->status < 600;
}

static bool read_length(const char *text, uint64_t *out) {
  for (*out = 0; *text >= '0' && *text <= '9'; text++) {
    *out = *out * 10 + (uint64_t)(*text - '0');
    if (*out > PUBSUB_HTTP_MAX_BODY_BYTES) return false;
  }
  return *text == '\0';
}

/* The value of a header, without spaces around it; NULL: another header. */
static const char *value_of(char *line, const char *name) {
  size_t len = strlen(name);
  if (strncasecmp(line, name, len) != 0 || line[len] != ':') return NULL;
  char *value = line + len + 1, *end = value + strlen(value);
  while (*value == ' ' || *value == '\t')
    value++;
  while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
    *--end = '\0';
  return value;
}

static enum pubsub_status read_header(struct pubsub_http_answer *answer,
                                      struct pubsub_error *error) {
  char *line = (char *)answer->line.ptr;
  const char *length = value_of(line, "content-length");
  const char *coding = value_of(line, "transfer-encoding");
  if (length && !read_length(length, &answer->left)) return too_large(error);
  if (length) answer->has_length = true;
  if (coding && strcasecmp(coding, "chunked") != 0) return malformed(error);
  if (coding) answer->chunked = true;
  return strchr(line, ':') ? PUBSUB_OK : malformed(error);
}

/* The empty line behind the headers. An interim answer (1xx) is followed by another. */
static void end_head(struct pubsub_http_answer *answer) {
  if (answer->status == 102 && answer->ends_at_102) {
    answer->stage = PUBSUB_HTTP_DONE;
  } else if (answer->status < 200) {
    answer->status = 0;
    answer->chunked = answer->has_length = false;
  } else if (answer->chunked) {
    answer->stage = PUBSUB_HTTP_CHUNK_SIZE;
  } else {
    bool empty = answer->status == 204 || (answer->has_length && answer->left == 0);
    answer->stage = empty ? PUBSUB_HTTP_DONE : PUBSUB_HTTP_BODY;
  }
}

static enum pubsub_status read_chunk_size(struct pubsub_http_answer *answer,
                                          struct pubsub_error *error) {
  const char *at = text_of(answer);
  uint64_t size = 0;
  size_t digits = 0;
  for (; (*at >= '0' && *at <= '9') || (*at | 32) >= 'a'; at++, digits++) {
    if ((*at | 32) > 'f') return malformed(error);
    size = size << 4 | (uint64_t)(*at <= '9' ? *at - '0' : (*at | 32) - 'a' + 10);
    if (size > PUBSUB_HTTP_MAX_BODY_BYTES) return too_large(error);
  }
  if (digits == 0 || (*at && *at != ';' && *at != ' ')) return malformed(error);
  answer->left = size;
  answer->stage = size > 0 ? PUBSUB_HTTP_CHUNK : PUBSUB_HTTP_TRAILER;
  return PUBSUB_OK;
}

static enum pubsub_status read_line(struct pubsub_http_answer *answer, struct pubsub_error *error) {
  bool empty = text_of(answer)[0] == '\0';
  switch (answer->stage) {
  case PUBSUB_HTTP_HEAD:
    if (answer->status == 0) return read_status(answer) ? PUBSUB_OK : malformed(error);
    if (!empty) return read_header(answer, error);
    end_head(answer);
    return PUBSUB_OK;
  case PUBSUB_HTTP_CHUNK_SIZE:
    return read_chunk_size(answer, error);
  case PUBSUB_HTTP_CHUNK_END:
    answer->stage = PUBSUB_HTTP_CHUNK_SIZE;
    return empty ? PUBSUB_OK : malformed(error);
  default:
    if (empty) answer->stage = PUBSUB_HTTP_DONE;
    return PUBSUB_OK;
  }
}

/* One byte of a line. */
static enum pubsub_status feed_line(struct pubsub_http_answer *answer, uint8_t byte,
                                    struct pubsub_error *error) {
  if (++answer->head_bytes > PUBSUB_HTTP_MAX_HEAD_BYTES ||
      answer->line.len >= PUBSUB_HTTP_MAX_LINE_BYTES) {
    return too_large(error);
  }
  if (byte == '\0') return malformed(error);
  uint8_t stored = byte == '\n' ? '\0' : byte;
  if (pubsub_buf_append(&answer->line, &stored, 1) != PUBSUB_OK)
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  if (byte != '\n') return PUBSUB_OK;
  size_t len = answer->line.len;
  if (len >= 2 && answer->line.ptr[len - 2] == '\r') answer->line.ptr[len - 2] = '\0';
  enum pubsub_status status = read_line(answer, error);
  answer->line.len = 0;
  return status;
}

/* As much of the body as there is; *out_used bytes of it. */
static enum pubsub_status feed_body(struct pubsub_http_answer *answer, struct pubsub_view bytes,
                                    size_t *out_used, struct pubsub_error *error) {
  bool bounded = answer->chunked || answer->has_length;
  size_t len = bounded && answer->left < bytes.len ? (size_t)answer->left : bytes.len;
  if (len > PUBSUB_HTTP_MAX_BODY_BYTES - answer->body.len) return too_large(error);
  if (pubsub_buf_append(&answer->body, bytes.ptr, len) != PUBSUB_OK)
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  *out_used = len;
  if (!bounded) return PUBSUB_OK;
  answer->left -= len;
  if (answer->left == 0) answer->stage = answer->chunked ? PUBSUB_HTTP_CHUNK_END : PUBSUB_HTTP_DONE;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_http_answer_feed(struct pubsub_http_answer *answer,
                                           struct pubsub_view bytes, struct pubsub_error *error) {
  enum pubsub_status status = PUBSUB_OK;
  while (bytes.len > 0 && status == PUBSUB_OK && answer->stage != PUBSUB_HTTP_DONE) {
    size_t used = 1;
    bool in_body = answer->stage == PUBSUB_HTTP_BODY || answer->stage == PUBSUB_HTTP_CHUNK;
    status =
        in_body ? feed_body(answer, bytes, &used, error) : feed_line(answer, *bytes.ptr, error);
    bytes = pubsub_view_of(bytes.ptr + used, bytes.len - used);
  }
  return status;
}

enum pubsub_status pubsub_http_answer_end(struct pubsub_http_answer *answer,
                                          struct pubsub_error *error) {
  bool whole = answer->stage == PUBSUB_HTTP_DONE ||
               (answer->stage == PUBSUB_HTTP_BODY && !answer->has_length);
  answer->stage = PUBSUB_HTTP_DONE;
  if (whole) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_PROTOCOL, "the connection ended within the answer");
}
