#include "front.h"

#include "base/text.h"
#include "command.h"
#include "pages/metrics.h"
#include "pages/peek.h"
#include "pages/reset.h"
#include "pages/state.h"
#include "pages/timeline.h"
#include "pages/ui.h"
#include "rpc/token.h"
#include <pubsub/error.h>
#include <stdlib.h>

static struct pubsub_view path_of(const struct http_request *request) {
  struct pubsub_view target = http_field(request, HTTP_TARGET);
  const uint8_t *mark = target.len > 0 ? memchr(target.ptr, '?', target.len) : NULL;
  return mark ? pubsub_view_of(target.ptr, (size_t)(mark - target.ptr)) : target;
}

static bool admit(void *user, const struct http_request *request, struct http_response *refusal) {
  const struct front *front = user;
  const char *problem = admission_problem(&front->admission, request);
  if (problem) *refusal = http_text(403, problem);
  return !problem;
}

static bool is_read(const struct http_request *request) {
  return http_field_is(request, HTTP_METHOD, "GET") || http_field_is(request, HTTP_METHOD, "HEAD");
}

/* False: it was answered. */
static bool has_token(const struct front *front, struct exchange *exchange) {
  const char *problem =
      token_problem(front->broker->token, http_field(&exchange->request, HTTP_AUTHORIZATION));
  if (problem) exchange_respond_text(exchange, 401, problem);
  return !problem;
}

static void say_ok(struct front *front, struct exchange *exchange) {
  (void)front;
  exchange_respond_text(exchange, 200, "Ok");
}

/* Takes the body, where printing it went well. */
static void show(struct exchange *exchange, enum pubsub_status printed, const char *type,
                 struct pubsub_buf *take_body) {
  struct http_response response = {.status = 200, .content_type = type, .body = *take_body};
  if (printed == PUBSUB_OK) {
    exchange_respond(exchange, &response);
  } else {
    pubsub_buf_clear(&response.body);
    exchange_respond_text(exchange, 503, "out of memory");
  }
}

static const char json_type[] = "application/json; charset=utf-8";

static void show_metrics(struct front *front, struct exchange *exchange) {
  struct pubsub_buf body = {0};
  if (!has_token(front, exchange)) return;
  enum pubsub_status status = metrics_print(&body, front->broker);
  show(exchange, status, METRICS_TYPE, &body);
}

/* ---- the page, and what it asks for ---- */

/* Nothing from elsewhere, nowhere else. */
static const struct http_header page_headers[] = {
    {"content-security-policy",
     "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"x-frame-options", "DENY"},
    {"x-content-type-options", "nosniff"},
    {"referrer-policy", "no-referrer"},
    {NULL, NULL}};

static void show_page(struct front *front, struct exchange *exchange) {
  struct http_response response = {
      .status = 200, .content_type = "text/html; charset=utf-8", .headers = page_headers};
  (void)front;
  if (pubsub_buf_append(&response.body, ui_page, ui_page_bytes) == PUBSUB_OK) {
    exchange_respond(exchange, &response);
  } else {
    exchange_respond_text(exchange, 503, "out of memory");
  }
}

static void show_state(struct front *front, struct exchange *exchange) {
  struct pubsub_buf body = {0};
  if (!has_token(front, exchange)) return;
  enum pubsub_status status = state_print(&body, front->broker);
  show(exchange, status, json_type, &body);
}

/* The value of the one parameter that these pages have, "?name=value", decoded. */
static void parameter(const struct http_request *request, char *out, size_t cap) {
  struct pubsub_view target = http_field(request, HTTP_TARGET);
  const uint8_t *equals = target.len > 0 ? memchr(target.ptr, '=', target.len) : NULL;
  struct pubsub_view value =
      equals ? pubsub_view_of(equals + 1, target.len - (size_t)(equals + 1 - target.ptr))
             : (struct pubsub_view){0};
  pubsub_percent_decode_cut(value, out, cap);
}

static void show_messages(struct front *front, struct exchange *exchange) {
  struct pubsub_buf body = {0};
  char name[700];
  if (!has_token(front, exchange)) return;
  parameter(&exchange->request, name, sizeof name);
  const struct subscription *subscription = broker_subscription(front->broker, name);
  if (!subscription) {
    exchange_respond_text(exchange, 404, "There is no such subscription.");
    return;
  }
  enum pubsub_status status = peek_print(&body, subscription, 100);
  show(exchange, status, json_type, &body);
}

static void show_record(struct front *front, struct exchange *exchange) {
  struct pubsub_buf body = {0};
  char after[30];
  if (!has_token(front, exchange)) return;
  parameter(&exchange->request, after, sizeof after);
  enum pubsub_status status =
      timeline_print(&body, &front->broker->world.record, strtoull(after, NULL, 10), 500);
  show(exchange, status, json_type, &body);
}

static void run_command(struct front *front, struct exchange *exchange) {
  if (has_token(front, exchange)) command_serve(front->rest.service, exchange);
}

static void reset(struct front *front, struct exchange *exchange) {
  struct pubsub_error error = {0};
  if (!exchange->request.local) {
    exchange_respond_text(exchange, 403, "Only this host may reset the emulator.");
    return;
  }
  if (!has_token(front, exchange)) return;
  reset_all(front->broker);
  if (!front->on_reset || front->on_reset(front->reset_user, &error)) {
    exchange_respond_text(exchange, 200, "Ok");
  } else {
    exchange_respond_text(exchange, 500, error.text);
  }
}

static const struct page {
  const char *path;
  bool post; /* otherwise GET and HEAD */
  void (*serve)(struct front *front, struct exchange *exchange);
} pages[] = {{"/", false, say_ok},
             {"/health", false, say_ok},
             {"/metrics", false, show_metrics},
             {"/v1/reset", true, reset},
             {"/ui", false, show_page},
             {"/ui/state", false, show_state},
             {"/ui/messages", false, show_messages},
             {"/ui/record", false, show_record},
             {"/ui/command", true, run_command}};

static const struct page *find_page(struct pubsub_view path) {
  for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
    if (pubsub_view_equal(path, pubsub_view_str(pages[i].path))) return &pages[i];
  }
  return NULL;
}

static void serve(void *user, struct exchange *exchange) {
  struct front *front = user;
  const struct http_request *request = &exchange->request;
  const struct page *page = find_page(path_of(request));
  if (!page) {
    rest_serve(&front->rest, exchange);
  } else if (page->post ? http_field_is(request, HTTP_METHOD, "POST") : is_read(request)) {
    page->serve(front, exchange);
  } else {
    exchange_respond_text(exchange, 405, page->post ? "Use POST." : "Use GET.");
  }
}

static bool is_loopback(const char *address) {
  return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

void front_init(struct front *front, struct pubsub_loop *loop, const struct service *service,
                const char *address) {
  site_init(&front->site);
  front->site.user = front;
  front->site.admit = admit;
  front->site.serve = serve;
  front->admission = (struct admission){.address = address, .wide = !is_loopback(address)};
  front->broker = service->broker;
  rest_init(&front->rest, loop, service, rest_routes);
}

void front_clear(struct front *front) {
  rest_destroy_all(&front->rest);
}
