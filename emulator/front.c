#include "front.h"

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

static void serve(void *user, struct exchange *exchange) {
  struct front *front = user;
  const struct http_request *request = &exchange->request;
  struct pubsub_view path = path_of(request);
  if (pubsub_view_equal(path, pubsub_view_str("/")) && is_read(request)) {
    exchange_respond_text(exchange, 200, "Ok");
  } else {
    rest_serve(&front->rest, exchange);
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
  rest_init(&front->rest, loop, service, rest_routes);
}

void front_clear(struct front *front) {
  rest_destroy_all(&front->rest);
}
