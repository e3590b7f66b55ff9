#include "front.h"

#include "pages/metrics.h"
#include "pages/reset.h"
#include "rpc/token.h"
#include <pubsub/error.h>

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

static void show_metrics(struct front *front, struct exchange *exchange) {
  struct http_response response = {.status = 200, .content_type = METRICS_TYPE};
  if (!has_token(front, exchange)) return;
  if (metrics_print(&response.body, front->broker) == PUBSUB_OK) {
    exchange_respond(exchange, &response);
  } else {
    pubsub_buf_clear(&response.body);
    exchange_respond_text(exchange, 503, "out of memory");
  }
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
             {"/v1/reset", true, reset}};

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
