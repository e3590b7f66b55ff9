#include "http/exchange.h"

#include <stdio.h>

void site_init(struct site *site) {
  *site = (struct site){0};
  pubsub_list_init(&site->connections);
}

/* ---- requests ---- */

struct pubsub_view http_field(const struct http_request *request, enum http_field field) {
  if (request->fields[field].len == 0) return (struct pubsub_view){0};
  return pubsub_view_of(request->text.ptr + request->fields[field].at, request->fields[field].len);
}

bool http_field_is(const struct http_request *request, enum http_field field, const char *value) {
  return pubsub_view_equal(http_field(request, field), pubsub_view_str(value));
}

enum http_field http_field_named(struct pubsub_view name) {
  static const char *const names[HTTP_FIELDS] = {
      [HTTP_METHOD] = ":method",
      [HTTP_TARGET] = ":path",
      [HTTP_HOST] = "host",
      [HTTP_ORIGIN] = "origin",
      [HTTP_FETCH_SITE] = "sec-fetch-site",
      [HTTP_FETCH_MODE] = "sec-fetch-mode",
      [HTTP_FETCH_DEST] = "sec-fetch-dest",
      [HTTP_CONTENT_TYPE] = "content-type",
      [HTTP_CONTENT_ENCODING] = "content-encoding",
      [HTTP_TRANSFER_ENCODING] = "transfer-encoding",
      [HTTP_EXPECT] = "expect",
      [HTTP_AUTHORIZATION] = "authorization",
      [HTTP_SERVER_TIMEOUT] = "x-server-timeout",
  };
  for (int i = 0; i < HTTP_FIELDS; i++) {
    if (pubsub_view_equal(name, pubsub_view_str(names[i]))) return (enum http_field)i;
  }
  return pubsub_view_equal(name, pubsub_view_str(":authority")) ? HTTP_HOST : HTTP_FIELDS;
}

bool http_field_set(struct http_request *request, enum http_field field, struct pubsub_view value) {
  request->fields[field].at = request->text.len;
  request->fields[field].len = 0;
  request->fields[field].times++;
  return http_field_extend(request, field, value);
}

bool http_field_extend(struct http_request *request, enum http_field field,
                       struct pubsub_view more) {
  if (pubsub_buf_append(&request->text, more.ptr, more.len) != PUBSUB_OK) return false;
  request->fields[field].len += more.len;
  return true;
}

/* ---- exchanges ---- */

int exchange_body_append(struct exchange *exchange, const uint8_t *data, size_t len) {
  struct pubsub_buf *body = &exchange->request.body;
  if (len > HTTP_MAX_BODY_BYTES - body->len) return 413;
  if (exchange->site->held_bytes + len > HTTP_MAX_HELD_BYTES) return 503;
  if (pubsub_buf_append(body, data, len) != PUBSUB_OK) return 503;
  exchange->site->held_bytes += len;
  return 0;
}

void exchange_respond(struct exchange *exchange, struct http_response *take_response) {
  if (exchange->answered) {
    pubsub_buf_clear(&take_response->body);
    return;
  }
  exchange->answered = true;
  exchange->on_closed = NULL;
  exchange->ops->respond(exchange, take_response);
}

void exchange_respond_text(struct exchange *exchange, int status, const char *text) {
  struct http_response response = http_text(status, text);
  exchange_respond(exchange, &response);
}

void exchange_end(struct exchange *exchange) {
  void (*on_closed)(struct exchange *) = exchange->on_closed;
  exchange->answered = true;
  exchange->on_closed = NULL;
  if (on_closed) on_closed(exchange);
  exchange->site->held_bytes -= exchange->request.body.len;
  pubsub_buf_clear(&exchange->request.body);
  pubsub_buf_clear(&exchange->request.text);
  exchange->request = (struct http_request){.local = exchange->request.local};
}

/* ---- answers ---- */

struct http_response http_text(int status, const char *text) {
  struct http_response response = {.status = status, .content_type = "text/plain; charset=utf-8"};
  /* Without memory for the text the status says it alone. */
  if (pubsub_buf_append(&response.body, text, strlen(text)) == PUBSUB_OK) {
    pubsub_buf_append(&response.body, "\n", 1);
  }
  return response;
}

const char *http_reason(int status) {
  static const struct {
    int status;
    const char *reason;
  } reasons[] = {{200, "OK"},
                 {204, "No Content"},
                 {400, "Bad Request"},
                 {401, "Unauthorized"},
                 {403, "Forbidden"},
                 {404, "Not Found"},
                 {405, "Method Not Allowed"},
                 {408, "Request Timeout"},
                 {409, "Conflict"},
                 {413, "Content Too Large"},
                 {414, "URI Too Long"},
                 {415, "Unsupported Media Type"},
                 {417, "Expectation Failed"},
                 {421, "Misdirected Request"},
                 {429, "Too Many Requests"},
                 {431, "Request Header Fields Too Large"},
                 {499, "Client Closed Request"},
                 {500, "Internal Server Error"},
                 {501, "Not Implemented"},
                 {503, "Service Unavailable"},
                 {504, "Gateway Timeout"},
                 {505, "HTTP Version Not Supported"}};
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
    if (reasons[i].status == status) return reasons[i].reason;
  }
  return "Unknown";
}
