#include "rest/rest.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include "google/protobuf/empty.pb-c.h"
#include "json/mapping.h"
#include "json/printer.h"
#include "json/render.h"
#include "rest/bind.h"
#include "rest/failure.h"
#include "rpc/gunzip.h"
#include <stdlib.h>

/* What a client of HTTP waits for an answer, unless it says so: most give up after a minute. */
#define PATIENCE_US UINT64_C(50000000)
#define MOST_PATIENCE_US UINT64_C(600000000)

struct rest_call {
  struct pubsub_list link; /* in rest.calls; first */
  struct call call;
  struct rest *rest;
  struct exchange *exchange; /* NULL: answered */
  bool enum_numbers;         /* the client wants enums so */
  struct pubsub_buf request;
  struct pubsub_timer delayed;  /* the request waits for it */
  struct pubsub_timer overtime; /* the client's patience ends */
  struct pubsub_deferred done;
};

static struct rest_call *of(const struct call *call) {
  return PUBSUB_CONTAINER_OF(call, struct rest_call, call);
}

/* ---- answers ---- */

static const char json_type[] = "application/json; charset=utf-8";

static void respond(struct exchange *exchange, int status, struct pubsub_buf *take_body) {
  static const struct http_header challenge[] = {{"www-authenticate", "Bearer"}, {NULL, NULL}};
  struct http_response response = {.status = status,
                                   .content_type = json_type,
                                   .headers = status == 401 ? challenge : NULL,
                                   .body = *take_body};
  exchange_respond(exchange, &response);
}

static void fail_with(struct exchange *exchange, int http_status, int grpc_code,
                      const char *message, struct pubsub_view details) {
  struct pubsub_buf body = {0};
  if (failure_print(&body, http_status, grpc_code, message, details) == PUBSUB_OK) {
    respond(exchange, http_status, &body);
  } else {
    pubsub_buf_clear(&body);
    exchange_respond_text(exchange, 503, "out of memory");
  }
}

static void refuse(struct exchange *exchange, int http_status, int grpc_code, const char *message) {
  fail_with(exchange, http_status, grpc_code, message, (struct pubsub_view){0});
}

/* The exchange, which from now on is answered; NULL: it was. */
static struct exchange *take_exchange(struct rest_call *rest_call) {
  struct exchange *exchange = rest_call->exchange;
  rest_call->exchange = NULL;
  if (exchange) pubsub_loop_defer(rest_call->rest->loop, &rest_call->done);
  return exchange;
}

static void reply(struct call *call, const ProtobufCMessage *response) {
  struct exchange *exchange = take_exchange(of(call));
  struct pubsub_buf body = {0};
  if (!exchange) return;
  if (json_render(&body, response, of(call)->enum_numbers) == PUBSUB_OK &&
      json_print(&body, "\n") == PUBSUB_OK) {
    respond(exchange, 200, &body);
  } else {
    pubsub_buf_clear(&body);
    refuse(exchange, 429, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
  }
}

static void reply_bytes(struct call *call, struct pubsub_buf *take_response) {
  ProtobufCMessage *message =
      protobuf_c_message_unpack(call->method->response, NULL, take_response->len,
                                take_response->ptr ? take_response->ptr : (const uint8_t *)"");
  pubsub_buf_clear(take_response);
  if (message) {
    reply(call, message);
    protobuf_c_message_free_unpacked(message, NULL);
  } else {
    call_fail(call, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
  }
}

static void fail(struct call *call, int grpc_code, const char *message,
                 struct pubsub_view details) {
  struct exchange *exchange = take_exchange(of(call));
  if (exchange) fail_with(exchange, failure_status(grpc_code), grpc_code, message, details);
}

/* ---- streams: no route leads to one ---- */

static void start(struct call *call) {
  (void)call;
}

static void send_message(struct call *call, const struct pubsub_segment *take_segments,
                         size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (take_segments[i].release) take_segments[i].release(take_segments[i].owner);
  }
  call_fail(call, PUBSUB_GRPC_UNIMPLEMENTED, "streams are for gRPC");
}

static void finish(struct call *call) {
  call_fail(call, PUBSUB_GRPC_UNIMPLEMENTED, "streams are for gRPC");
}

static size_t queued_bytes(const struct call *call) {
  (void)call;
  return 0;
}

/* ---- misbehaviour on demand ---- */

static void on_delay_over(struct pubsub_timer *timer) {
  struct rest_call *rest_call = PUBSUB_CONTAINER_OF(timer, struct rest_call, delayed);
  if (rest_call->exchange) call_receive(&rest_call->call, &rest_call->request);
}

static void delay(struct call *call, uint64_t us) {
  struct rest_call *rest_call = of(call);
  struct pubsub_loop *loop = rest_call->rest->loop;
  rest_call->delayed.run = on_delay_over;
  pubsub_loop_timer_set(loop, &rest_call->delayed, pubsub_loop_now_us(loop) + us);
}

/* What is done to other connections, the control endpoint of gRPC does. */
static void disturb(struct call *call, enum disturbance how) {
  struct rest_call *rest_call = of(call);
  if (how == DISTURB_GOAWAY && rest_call->exchange) {
    rest_call->exchange->ops->farewell(rest_call->exchange);
  }
  if (how != DISTURB_RESET && how != DISTURB_CUT) return;
  struct exchange *exchange = take_exchange(rest_call);
  if (!exchange) return;
  exchange->on_closed = NULL;
  (how == DISTURB_CUT ? exchange->ops->cut : exchange->ops->reset)(exchange);
}

static const struct answer_ops answer_ops = {.reply = reply,
                                             .reply_bytes = reply_bytes,
                                             .fail = fail,
                                             .start = start,
                                             .send = send_message,
                                             .finish = finish,
                                             .queued_bytes = queued_bytes,
                                             .delay = delay,
                                             .disturb = disturb};

/* ---- the request's message ---- */

static bool read_body(struct json *json, const struct route *route, ProtobufCMessage *message) {
  const ProtobufCFieldDescriptor *field = json_find_field(message->descriptor, route->body);
  return field && json_read_into(json, message, field) && json_end(json);
}

static bool is_blank(struct pubsub_view text) {
  for (size_t i = 0; i < text.len; i++) {
    if (!strchr(" \t\r\n", text.ptr[i]) || !text.ptr[i]) return false;
  }
  return true;
}

/* An empty body is an empty message. A method without a body takes such a one only. */
static ProtobufCMessage *message_of_body(struct json *json, const struct route *route,
                                         const ProtobufCMessageDescriptor *descriptor,
                                         struct pubsub_view body) {
  static const struct pubsub_view empty = {(const uint8_t *)"{}", 2};
  bool whole = strcmp(route->body, "*") == 0;
  json_init(json, is_blank(body) ? empty : body, json->error);
  if (whole || !*route->body) {
    ProtobufCMessage *message =
        json_message(json, whole ? descriptor : &google__protobuf__empty__descriptor);
    bool good = message && json_end(json);
    if (message && (!good || !whole)) protobuf_c_message_free_unpacked(message, NULL);
    if (!good) return NULL;
    return whole ? message : json_new_message(json, descriptor);
  }
  ProtobufCMessage *message = json_new_message(json, descriptor);
  if (message && read_body(json, route, message)) return message;
  if (message) protobuf_c_message_free_unpacked(message, NULL);
  return NULL;
}

static enum pubsub_status bind_path(ProtobufCMessage *message, const struct route *route,
                                    struct pubsub_view path, struct pubsub_error *error) {
  enum pubsub_status status = PUBSUB_OK;
  struct pubsub_buf text = {0};
  for (int i = 0; i < ROUTE_VARIABLES && route->variables[i].field && status == PUBSUB_OK; i++) {
    if (!route_variable(route, i, path, &text)) {
      status = pubsub_error_set(error, PUBSUB_E_INVALID, "the path is not well encoded");
    } else {
      status = bind_text(message, route->variables[i].field, (const char *)text.ptr, error);
    }
  }
  pubsub_buf_clear(&text);
  return status;
}

static ProtobufCMessage *make_message(struct exchange *exchange, const struct route *route,
                                      const struct method *method, struct pubsub_view path,
                                      struct pubsub_view query, bool *enum_numbers,
                                      struct pubsub_error *error) {
  struct json json = {.error = error};
  const struct pubsub_buf *body = &exchange->request.body;
  ProtobufCMessage *message =
      message_of_body(&json, route, method->request, pubsub_view_of(body->ptr, body->len));
  if (message && bind_path(message, route, path, error) == PUBSUB_OK &&
      bind_query(message, query, strcmp(route->body, "*") == 0, enum_numbers, error) == PUBSUB_OK) {
    return message;
  }
  if (message) protobuf_c_message_free_unpacked(message, NULL);
  return NULL;
}

/* False: the exchange was answered. */
static bool unzip(struct exchange *exchange) {
  struct http_request *request = &exchange->request;
  size_t before = request->body.len;
  if (request->fields[HTTP_CONTENT_ENCODING].len == 0 ||
      http_field_is(request, HTTP_CONTENT_ENCODING, "identity")) {
    return true;
  }
  bool gzip = http_field_is(request, HTTP_CONTENT_ENCODING, "gzip");
  bool good = gzip && gunzip(&request->body, HTTP_MAX_BODY_BYTES);
  exchange->site->held_bytes += request->body.len - before;
  if (good) return true;
  refuse(exchange, gzip ? 400 : 415, PUBSUB_GRPC_INVALID_ARGUMENT,
         gzip ? "the body cannot be decompressed, or is larger than 20 MiB then"
              : "the content encoding must be gzip, or none");
  return false;
}

/* ---- life ---- */

static void free_call(struct rest_call *rest_call) {
  struct pubsub_loop *loop = rest_call->rest->loop;
  if (rest_call->call.method->on_closed) rest_call->call.method->on_closed(&rest_call->call);
  pubsub_loop_timer_cancel(loop, &rest_call->delayed);
  pubsub_loop_timer_cancel(loop, &rest_call->overtime);
  pubsub_loop_defer_cancel(loop, &rest_call->done);
  pubsub_list_remove(&rest_call->link);
  pubsub_buf_clear(&rest_call->request);
  pubsub_free(rest_call);
}

static void on_done(struct pubsub_deferred *deferred) {
  free_call(PUBSUB_CONTAINER_OF(deferred, struct rest_call, done));
}

static void on_exchange_closed(struct exchange *exchange) {
  struct rest_call *rest_call = exchange->state;
  rest_call->exchange = NULL;
  free_call(rest_call);
}

static void on_overtime(struct pubsub_timer *timer) {
  struct rest_call *rest_call = PUBSUB_CONTAINER_OF(timer, struct rest_call, overtime);
  call_fail(&rest_call->call, PUBSUB_GRPC_DEADLINE_EXCEEDED, "the deadline of the call has passed");
}

/* What X-Server-Timeout says, in seconds. */
static uint64_t patience_of(const struct http_request *request) {
  struct pubsub_view given = http_field(request, HTTP_SERVER_TIMEOUT);
  char text[32], *end;
  if (given.len == 0 || given.len >= sizeof text) return PATIENCE_US;
  memcpy(text, given.ptr, given.len);
  text[given.len] = '\0';
  double seconds = strtod(text, &end);
  if (*end || !(seconds > 0)) return PATIENCE_US;
  double most = (double)MOST_PATIENCE_US / 1e6;
  return (uint64_t)((seconds < most ? seconds : most) * 1e6);
}

static struct rest_call *new_call(struct rest *rest, struct exchange *exchange,
                                  const struct method *method, const ProtobufCMessage *message) {
  struct rest_call *rest_call = pubsub_alloc_zero(1, sizeof *rest_call);
  if (!rest_call) return NULL;
  if (pubsub_buf_reserve(&rest_call->request, protobuf_c_message_get_packed_size(message) + 1) !=
      PUBSUB_OK) {
    pubsub_free(rest_call);
    return NULL;
  }
  rest_call->request.len = protobuf_c_message_pack(message, rest_call->request.ptr);
  rest_call->rest = rest;
  rest_call->exchange = exchange;
  rest_call->done.run = on_done;
  rest_call->overtime.run = on_overtime;
  pubsub_list_init(&rest_call->done.link);
  rest_call->call = (struct call){.method = method,
                                  .ops = &answer_ops,
                                  .broker = rest->service->broker,
                                  .timeout_us = patience_of(&exchange->request)};
  pubsub_list_push_back(&rest->calls, &rest_call->link);
  exchange->state = rest_call;
  exchange->on_closed = on_exchange_closed;
  return rest_call;
}

static void call(struct rest *rest, struct exchange *exchange, const struct method *method,
                 const ProtobufCMessage *message, bool enum_numbers) {
  const struct service *service = rest->service;
  struct rest_call *made = new_call(rest, exchange, method, message);
  if (!made) {
    refuse(exchange, 429, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    return;
  }
  made->enum_numbers = enum_numbers;
  struct pubsub_view bytes = pubsub_view_of(made->request.ptr, made->request.len);
  if (!service->intercept || service->intercept(&made->call, bytes)) {
    call_receive(&made->call, &made->request);
  }
  if (!made->exchange) return;
  pubsub_loop_timer_set(rest->loop, &made->overtime,
                        pubsub_loop_now_us(rest->loop) + made->call.timeout_us);
}

static void serve_route(struct rest *rest, struct exchange *exchange, const struct route *route,
                        struct pubsub_view path, struct pubsub_view query) {
  const struct service *service = rest->service;
  const struct method *method = method_find(service->tables, pubsub_view_str(route->path));
  if (!method) {
    refuse(exchange, 501, PUBSUB_GRPC_UNIMPLEMENTED, "the method is not implemented");
    return;
  }
  const char *problem = service->admit
                            ? service->admit(service->broker, method,
                                             http_field(&exchange->request, HTTP_AUTHORIZATION))
                            : NULL;
  if (problem) {
    refuse(exchange, 401, PUBSUB_GRPC_UNAUTHENTICATED, problem);
    return;
  }
  struct pubsub_error error = {0};
  bool enum_numbers = false;
  if (!unzip(exchange)) return;
  ProtobufCMessage *message =
      make_message(exchange, route, method, path, query, &enum_numbers, &error);
  if (message) {
    call(rest, exchange, method, message, enum_numbers);
    protobuf_c_message_free_unpacked(message, NULL);
  } else {
    refuse(exchange, 400, PUBSUB_GRPC_INVALID_ARGUMENT, error.text);
  }
}

void rest_serve(struct rest *rest, struct exchange *exchange) {
  struct pubsub_view target = http_field(&exchange->request, HTTP_TARGET);
  struct pubsub_view verb = http_field(&exchange->request, HTTP_METHOD);
  const uint8_t *mark = target.len > 0 ? memchr(target.ptr, '?', target.len) : NULL;
  struct pubsub_view path =
      pubsub_view_of(target.ptr, mark ? (size_t)(mark - target.ptr) : target.len);
  struct pubsub_view query =
      mark ? pubsub_view_of(mark + 1, target.len - path.len - 1) : (struct pubsub_view){0};
  const struct route *route = NULL;
  if (pubsub_view_equal(verb, pubsub_view_str("HEAD"))) verb = pubsub_view_str("GET");
  switch (route_find(rest->routes, verb, path, &route)) {
  case ROUTE_FOUND:
    serve_route(rest, exchange, route, path, query);
    return;
  case ROUTE_OTHER_VERB:
    refuse(exchange, 405, PUBSUB_GRPC_UNIMPLEMENTED,
           "The path is one, but not with this HTTP method.");
    return;
  default:
    refuse(exchange, 404, PUBSUB_GRPC_NOT_FOUND, "There is no such path.");
  }
}

void rest_init(struct rest *rest, struct pubsub_loop *loop, const struct service *service,
               const struct route *routes) {
  *rest = (struct rest){.loop = loop, .service = service, .routes = routes};
  pubsub_list_init(&rest->calls);
}

void rest_destroy_all(struct rest *rest) {
  while (!pubsub_list_empty(&rest->calls)) {
    struct rest_call *rest_call = PUBSUB_CONTAINER_OF(rest->calls.next, struct rest_call, link);
    if (rest_call->exchange) rest_call->exchange->on_closed = NULL;
    free_call(rest_call);
  }
}
