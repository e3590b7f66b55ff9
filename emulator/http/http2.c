#include "http/http2.h"

#include "base/alloc.h"
#include "base/container.h"
#include <stdio.h>

#define MOST_OWN_HEADERS 8

struct http2 {
  struct pubsub_list link; /* first */
  struct exchange exchange;
  struct pubsub_h2_conn *conn;
  struct pubsub_h2_stream *stream;
};

static struct http2 *of(struct exchange *exchange) {
  return PUBSUB_CONTAINER_OF(exchange, struct http2, exchange);
}

static struct pubsub_h2_header header(const char *name, const char *value) {
  return (struct pubsub_h2_header){pubsub_view_str(name), pubsub_view_str(value), false};
}

static void respond(struct exchange *exchange, struct http_response *take_response) {
  struct http2 *http2 = of(exchange);
  struct pubsub_h2_header headers[4 + MOST_OWN_HEADERS];
  char status[16], length[24];
  size_t count = 0;
  bool bare =
      http_field_is(&exchange->request, HTTP_METHOD, "HEAD") || take_response->body.len == 0;
  snprintf(status, sizeof status, "%d", take_response->status);
  snprintf(length, sizeof length, "%zu", take_response->body.len);
  headers[count++] = header(":status", status);
  if (take_response->content_type) {
    headers[count++] = header("content-type", take_response->content_type);
  }
  if (take_response->status != 204) headers[count++] = header("content-length", length);
  const struct http_header *own = take_response->headers;
  for (; own && own->name && count < sizeof headers / sizeof *headers; own++)
    headers[count++] = header(own->name, own->value);
  struct pubsub_segment body = pubsub_segment_from_buf(&take_response->body);
  bool sent = pubsub_h2_stream_respond(http2->stream, headers, count, bare) == PUBSUB_OK;
  bool taken = sent && !bare && pubsub_h2_stream_send(http2->stream, &body, 1, true) == PUBSUB_OK;
  if (!taken && body.release) body.release(body.owner);
  if (!sent || (!bare && !taken)) pubsub_h2_stream_reset(http2->stream, PUBSUB_H2_INTERNAL_ERROR);
}

static void cut(struct exchange *exchange) {
  exchange->answered = true;
  pubsub_h2_conn_abort(of(exchange)->conn);
}

static void reset(struct exchange *exchange) {
  exchange->answered = true;
  pubsub_h2_stream_reset(of(exchange)->stream, PUBSUB_H2_INTERNAL_ERROR);
}

static void farewell(struct exchange *exchange) {
  pubsub_h2_conn_goaway(of(exchange)->conn, 0);
}

static const struct exchange_ops ops = {respond, cut, reset, farewell};

static void on_data(void *user, struct pubsub_h2_stream *stream, const uint8_t *data, size_t len) {
  struct http2 *http2 = user;
  pubsub_h2_stream_consume(stream, len);
  if (http2->exchange.answered) return;
  int status = exchange_body_append(&http2->exchange, data, len);
  if (status) exchange_respond_text(&http2->exchange, status, http_reason(status));
}

static void on_end(void *user, struct pubsub_h2_stream *stream) {
  struct http2 *http2 = user;
  struct site *site = http2->exchange.site;
  (void)stream;
  if (!http2->exchange.answered) site->serve(site->user, &http2->exchange);
}

static void on_headers(void *user, struct pubsub_h2_stream *stream,
                       const struct pubsub_h2_header *headers, size_t count, bool trailers) {
  (void)user;
  (void)stream;
  (void)headers;
  (void)count;
  (void)trailers;
}

static void free_http2(struct http2 *http2) {
  exchange_end(&http2->exchange);
  pubsub_list_remove(&http2->link);
  pubsub_free(http2);
}

static void on_closed(void *user, struct pubsub_h2_stream *stream, uint32_t h2_error,
                      const struct pubsub_error *why) {
  (void)stream;
  (void)h2_error;
  (void)why;
  free_http2(user);
}

static const struct pubsub_h2_stream_handler handler = {
    .on_headers = on_headers, .on_data = on_data, .on_end = on_end, .on_closed = on_closed};

/* False: no memory, or there are too many. */
static bool keep_fields(struct http_request *request, const struct pubsub_h2_header *headers,
                        size_t count) {
  if (count > HTTP_MAX_HEADERS) return false;
  for (size_t i = 0; i < count; i++) {
    enum http_field field = http_field_named(headers[i].name);
    if (field == HTTP_FIELDS) continue;
    if (field == HTTP_HOST && request->fields[field].times > 0) continue; /* :authority counts */
    if (!http_field_set(request, field, headers[i].value)) return false;
  }
  return true;
}

/* A head that does not fit, or is not welcome, is answered at once. */
static void judge(struct http2 *http2, const struct pubsub_h2_header *headers, size_t count) {
  struct site *site = http2->exchange.site;
  struct http_response refusal = {0};
  if (!keep_fields(&http2->exchange.request, headers, count)) {
    exchange_respond_text(&http2->exchange, 431, http_reason(431));
  } else if (!site->admit(site->user, &http2->exchange.request, &refusal)) {
    exchange_respond(&http2->exchange, &refusal);
  }
}

void http2_open(struct site *site, struct pubsub_h2_conn *conn, struct pubsub_h2_stream *stream,
                const struct pubsub_h2_header *headers, size_t count, bool local,
                struct pubsub_list *streams) {
  struct http2 *http2 = pubsub_alloc_zero(1, sizeof *http2);
  if (!http2) return;
  http2->conn = conn;
  http2->stream = stream;
  http2->exchange = (struct exchange){.ops = &ops, .site = site, .request.local = local};
  pubsub_list_push_back(streams, &http2->link);
  pubsub_h2_stream_bind(stream, &handler, http2);
  judge(http2, headers, count);
}

void http2_destroy_all(struct pubsub_list *streams) {
  while (!pubsub_list_empty(streams)) {
    free_http2(PUBSUB_CONTAINER_OF(streams->next, struct http2, link));
  }
}
