#include "http/head.h"

#include <ctype.h>
#include <llhttp.h>
#include <stdio.h>
#include <time.h>

#define MOST_TARGET_BYTES ((size_t)16 << 10)
#define MOST_NAME_BYTES ((size_t)1 << 10)

static int count(struct head *head, size_t len) {
  head->bytes += len;
  return head->bytes > HTTP_MAX_HEAD_BYTES ? 431 : 0;
}

static int keep(struct http_request *request, enum http_field field, bool first,
                struct pubsub_view piece) {
  bool good =
      first ? http_field_set(request, field, piece) : http_field_extend(request, field, piece);
  return good ? 0 : 503;
}

int head_method(struct head *head, struct http_request *request, struct pubsub_view piece) {
  int status = count(head, piece.len);
  bool first = request->fields[HTTP_METHOD].times == 0;
  return status ? status : keep(request, HTTP_METHOD, first, piece);
}

int head_target(struct head *head, struct http_request *request, struct pubsub_view piece) {
  int status = count(head, piece.len);
  bool first = request->fields[HTTP_TARGET].times == 0;
  if (!status && request->fields[HTTP_TARGET].len + piece.len > MOST_TARGET_BYTES) return 414;
  return status ? status : keep(request, HTTP_TARGET, first, piece);
}

int head_name(struct head *head, struct pubsub_view piece) {
  int status = count(head, piece.len);
  if (status || head->name.len + piece.len > MOST_NAME_BYTES) return 431;
  if (pubsub_buf_reserve(&head->name, piece.len) != PUBSUB_OK) return 503;
  for (size_t i = 0; i < piece.len; i++)
    head->name.ptr[head->name.len++] = (uint8_t)tolower(piece.ptr[i]);
  return 0;
}

int head_value(struct head *head, struct http_request *request, struct pubsub_view piece,
               bool trailer) {
  int status = count(head, piece.len);
  bool first = !head->in_value;
  head->in_value = true;
  if (first) head->field = http_field_named(pubsub_view_of(head->name.ptr, head->name.len));
  if (status || trailer || head->field == HTTP_FIELDS) return status;
  return keep(request, head->field, first, piece);
}

int head_value_end(struct head *head, struct http_request *request, bool trailer) {
  int status = head->in_value ? 0 : head_value(head, request, (struct pubsub_view){0}, trailer);
  head->in_value = false;
  head->name.len = 0;
  if (!status && ++head->count > HTTP_MAX_HEADERS) status = 431;
  return status;
}

void head_clear(struct head *head) {
  pubsub_buf_clear(&head->name);
}

/* ---- the whole ---- */

static bool equal_ignoring_case(struct pubsub_view text, const char *word) {
  size_t i = 0;
  for (; i < text.len && word[i]; i++) {
    if (tolower(text.ptr[i]) != word[i]) return false;
  }
  return i == text.len && word[i] == '\0';
}

/* The host that a target of a proxy's form names counts (RFC 9112, 3.2.2). */
static int split_target(struct http_request *request) {
  struct pubsub_view target = http_field(request, HTTP_TARGET);
  const uint8_t *end = target.ptr + target.len, *host = target.ptr + 7, *path;
  if (target.len > 0 && target.ptr[0] == '/') return 0;
  if (target.len < 8 || memcmp(target.ptr, "http://", 7) != 0) return 400;
  for (path = host; path < end && *path != '/' && *path != '?';)
    path++;
  if (path == host) return 400;
  size_t host_at = request->fields[HTTP_TARGET].at + 7, host_len = (size_t)(path - host);
  request->fields[HTTP_TARGET].at = host_at + host_len;
  request->fields[HTTP_TARGET].len = (size_t)(end - path);
  request->fields[HTTP_HOST].at = host_at;
  request->fields[HTTP_HOST].len = host_len;
  if (path < end && *path == '/') return 0;
  return path == end && http_field_set(request, HTTP_TARGET, pubsub_view_str("/")) ? 0 : 400;
}

int head_end(struct http_request *request, int major, int minor) {
  struct pubsub_view coding = http_field(request, HTTP_TRANSFER_ENCODING);
  if (major != 1) return 505;
  if (request->fields[HTTP_HOST].times > 1) return 400;
  if (minor > 0 && request->fields[HTTP_HOST].times == 0) return 400;
  if (request->fields[HTTP_ORIGIN].times > 1) return 400;
  if (request->fields[HTTP_TRANSFER_ENCODING].times > 1) return 400;
  if (request->fields[HTTP_TRANSFER_ENCODING].times > 0) {
    if (minor == 0) return 400; /* who reads only 1.0 sees another body */
    if (!equal_ignoring_case(coding, "chunked")) return 501;
  }
  if (http_field_is(request, HTTP_METHOD, "CONNECT")) return 405;
  if (request->fields[HTTP_EXPECT].times > 0 &&
      !equal_ignoring_case(http_field(request, HTTP_EXPECT), "100-continue")) {
    return 417;
  }
  return split_target(request);
}

int head_status_of(int parser_errno) {
  return parser_errno == HPE_INVALID_VERSION ? 505 : 400;
}

/* ---- answers ---- */

static enum pubsub_status add(struct pubsub_buf *out, enum pubsub_status before, const char *name,
                              const char *value) {
  char line[400];
  int len = snprintf(line, sizeof line, "%s: %s\r\n", name, value);
  if (before != PUBSUB_OK) return before;
  return pubsub_buf_append(out, line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1);
}

enum pubsub_status head_write(struct pubsub_buf *out, const struct http_response *response,
                              bool close) {
  char text[100];
  time_t now = time(NULL);
  struct tm utc;
  int len = snprintf(text, sizeof text, "HTTP/1.1 %d %s\r\n", response->status,
                     http_reason(response->status));
  enum pubsub_status status = pubsub_buf_append(out, text, (size_t)len);
  strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
  status = add(out, status, "date", text);
  if (response->content_type) status = add(out, status, "content-type", response->content_type);
  snprintf(text, sizeof text, "%zu", response->body.len);
  if (response->status != 204) status = add(out, status, "content-length", text);
  for (const struct http_header *header = response->headers; header && header->name; header++)
    status = add(out, status, header->name, header->value);
  if (close) status = add(out, status, "connection", "close");
  return status == PUBSUB_OK ? pubsub_buf_append(out, "\r\n", 2) : status;
}
