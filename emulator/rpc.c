#include "rpc.h"

#include "base/alloc.h"
#include "base/map.h"
#include "refuse.h"
#include <stdarg.h>
#include <stdio.h>
#include <zlib.h>

#define RPC_LOW_WATER_BYTES ((size_t)256 * 1024)
#define RPC_HIGH_WATER_BYTES ((size_t)2 << 20)

static struct pubsub_h2_header header(const char *name, const char *value) {
  return (struct pubsub_h2_header){pubsub_view_str(name), pubsub_view_str(value), false};
}

static void send_headers(struct rpc *rpc) {
  struct pubsub_h2_header headers[] = {header(":status", "200"),
                                       header("content-type", "application/grpc"),
                                       header("grpc-accept-encoding", "identity,gzip")};
  if (rpc->headers_sent) return;
  rpc->headers_sent = true;
  pubsub_h2_stream_respond(rpc->stream, headers, 3, false);
}

void rpc_start(struct rpc *rpc) {
  if (rpc->stream && !rpc->answered) send_headers(rpc);
}

static void release_all(const struct pubsub_segment *segments, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (segments[i].release) segments[i].release(segments[i].owner);
  }
}

void rpc_send(struct rpc *rpc, const struct pubsub_segment *take_segments, size_t count) {
  uint8_t *prefix = rpc->stream && !rpc->answered ? pubsub_alloc(PUBSUB_FRAME_PREFIX_BYTES) : NULL;
  if (!prefix) {
    release_all(take_segments, count);
    return;
  }
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++)
    bytes += take_segments[i].len;
  pubsub_frame_prefix_write(prefix, bytes, false);
  send_headers(rpc);
  struct pubsub_segment first = {prefix, PUBSUB_FRAME_PREFIX_BYTES, pubsub_free, prefix};
  if (pubsub_h2_stream_send(rpc->stream, &first, 1, false) != PUBSUB_OK) {
    pubsub_free(prefix);
    release_all(take_segments, count);
  } else if (pubsub_h2_stream_send(rpc->stream, take_segments, count, false) != PUBSUB_OK) {
    release_all(take_segments, count);
    pubsub_h2_stream_reset(rpc->stream, PUBSUB_H2_INTERNAL_ERROR); /* half a message was sent */
  }
}

static char *base64(struct pubsub_view bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char *text = pubsub_alloc(bytes.len * 4 / 3 + 4), *out = text;
  if (!text) return NULL;
  for (size_t i = 0; i < bytes.len; i += 3) {
    size_t left = bytes.len - i;
    uint32_t group = (uint32_t)bytes.ptr[i] << 16 |
                     (left > 1 ? (uint32_t)bytes.ptr[i + 1] << 8 : 0) |
                     (left > 2 ? bytes.ptr[i + 2] : 0);
    for (size_t digit = 0; digit <= (left < 3 ? left : 3); digit++)
      *out++ = digits[group >> (18 - 6 * digit) & 63];
  }
  *out = '\0';
  return text;
}

static void send_status(struct rpc *rpc, int code, const char *message, const char *details) {
  char code_text[12], escaped[1024];
  size_t len = 0;
  if (!rpc->stream || rpc->answered) return;
  rpc->answered = true;
  snprintf(code_text, sizeof code_text, "%d", code);
  for (const unsigned char *c = (const unsigned char *)message; *c && len + 4 < sizeof escaped;
       c++) {
    if (*c < 0x20 || *c > 0x7e || *c == '%') {
      len += (size_t)snprintf(escaped + len, 4, "%%%02X", *c);
    } else {
      escaped[len++] = (char)*c;
    }
  }
  escaped[len] = '\0';
  struct pubsub_h2_header headers[] = {
      header(":status", "200"), header("content-type", "application/grpc"),
      header("grpc-status", code_text), header("grpc-message", escaped),
      header("grpc-status-details-bin", details ? details : "")};
  size_t first = rpc->headers_sent ? 2 : 0, end = details ? 5 : len > 0 ? 4 : 3;
  if (rpc->headers_sent) {
    pubsub_h2_stream_trailers(rpc->stream, headers + first, end - first);
  } else {
    pubsub_h2_stream_respond(rpc->stream, headers, end, true);
  }
}

void rpc_finish(struct rpc *rpc) {
  if (rpc->stream && !rpc->answered) send_headers(rpc);
  send_status(rpc, 0, "", NULL);
}

void rpc_reply(struct rpc *rpc, struct pubsub_buf *take_response) {
  struct pubsub_segment segment = pubsub_segment_from_buf(take_response);
  rpc_send(rpc, &segment, 1);
  rpc_finish(rpc);
}

void rpc_fail(struct rpc *rpc, int grpc_code, const char *format, ...) {
  char message[512];
  va_list args;
  va_start(args, format);
  vsnprintf(message, sizeof message, format, args);
  va_end(args);
  send_status(rpc, grpc_code, message, NULL);
}

void rpc_fail_with(struct rpc *rpc, int grpc_code, const char *message,
                   struct pubsub_view details) {
  char *text = base64(details);
  send_status(rpc, grpc_code, message, text);
  pubsub_free(text);
}

void rpc_reset(struct rpc *rpc) {
  if (!rpc->stream || rpc->answered) return;
  rpc->answered = true;
  pubsub_h2_stream_reset(rpc->stream, PUBSUB_H2_INTERNAL_ERROR);
}

void rpc_disturb_others(struct rpc *rpc, bool goaway) {
  struct pubsub_list *all = rpc->connection->all;
  for (struct pubsub_list *link = all->next; link != all; link = link->next) {
    struct rpc_connection *other = PUBSUB_CONTAINER_OF(link, struct rpc_connection, link);
    if (other == rpc->connection) continue;
    if (goaway) {
      pubsub_h2_conn_goaway(other->h2, 0);
    } else {
      pubsub_h2_conn_abort(other->h2);
    }
  }
}

size_t rpc_queued_bytes(const struct rpc *rpc) {
  return rpc->stream ? pubsub_h2_stream_queued_bytes(rpc->stream) : 0;
}

/* ---- requests ---- */

static bool inflate_request(struct pubsub_buf *request) {
  z_stream stream = {.next_in = request->ptr, .avail_in = (unsigned)request->len};
  struct pubsub_buf out = {0};
  int result = Z_OK;
  if (inflateInit2(&stream, 15 + 32) != Z_OK) return false;
  while (result == Z_OK && out.len <= RPC_MAX_REQUEST_BYTES) {
    if (pubsub_buf_reserve(&out, 65536) != PUBSUB_OK) break;
    stream.next_out = out.ptr + out.len;
    stream.avail_out = (unsigned)(out.cap - out.len);
    result = inflate(&stream, Z_NO_FLUSH);
    out.len = out.cap - stream.avail_out;
    if (result == Z_BUF_ERROR) break;
  }
  inflateEnd(&stream);
  pubsub_buf_clear(request);
  *request = out;
  return result == Z_STREAM_END && out.len <= RPC_MAX_REQUEST_BYTES;
}

static enum pubsub_status on_begin(void *user, size_t message_bytes, bool compressed) {
  struct rpc *rpc = user;
  rpc->compressed = compressed;
  rpc->request.len = 0;
  return pubsub_buf_reserve(&rpc->request, message_bytes);
}

static enum pubsub_status on_piece(void *user, const uint8_t *data, size_t len) {
  struct rpc *rpc = user;
  return pubsub_buf_append(&rpc->request, data, len);
}

static enum pubsub_status on_message(void *user) {
  struct rpc *rpc = user;
  if (rpc->answered) return PUBSUB_OK;
  if (rpc->compressed && (!rpc->gzip || !inflate_request(&rpc->request))) {
    rpc_fail(rpc, PUBSUB_GRPC_INTERNAL, "cannot decompress the request");
    return PUBSUB_OK;
  }
  if (!rpc->intercepted) {
    const struct rpc_service *service = rpc->connection->service;
    rpc->intercepted = true;
    if (service->intercept && !service->intercept(rpc)) return PUBSUB_OK;
  }
  rpc->method->on_message(rpc, &rpc->request);
  return PUBSUB_OK;
}

static void on_delay_over(struct pubsub_timer *timer) {
  struct rpc *rpc = PUBSUB_CONTAINER_OF(timer, struct rpc, delayed);
  if (!rpc->answered) rpc->method->on_message(rpc, &rpc->request);
}

void rpc_delay(struct rpc *rpc, uint64_t us) {
  struct pubsub_loop *loop = rpc->connection->loop;
  rpc->delayed.run = on_delay_over;
  pubsub_loop_timer_set(loop, &rpc->delayed, pubsub_loop_now_us(loop) + us);
}

static const struct pubsub_frame_handler frame_handler = {on_begin, on_piece, on_message};

/* A client that does not take its answers may not ask for more: its window stays closed until it does. */
static void give_back(struct rpc *rpc, size_t len) {
  rpc->withheld_bytes += len;
  if (rpc_queued_bytes(rpc) > RPC_HIGH_WATER_BYTES) return;
  pubsub_h2_stream_consume(rpc->stream, rpc->withheld_bytes);
  rpc->withheld_bytes = 0;
}

static void on_data(void *user, struct pubsub_h2_stream *stream, const uint8_t *data, size_t len) {
  (void)stream;
  struct rpc *rpc = user;
  give_back(rpc, len);
  if (rpc->answered) return;
  if (pubsub_frame_parser_feed(&rpc->parser, &frame_handler, rpc, data, len) != PUBSUB_OK) {
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "the request is malformed or over %zu bytes",
             RPC_MAX_REQUEST_BYTES);
  }
}

static void on_end(void *user, struct pubsub_h2_stream *stream) {
  struct rpc *rpc = user;
  (void)stream;
  if (rpc->answered) return;
  if (!pubsub_frame_parser_at_boundary(&rpc->parser)) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "the request is cut off");
  } else if (rpc->method->on_half_close) {
    rpc->method->on_half_close(rpc);
  }
}

static void on_drained(void *user, struct pubsub_h2_stream *stream) {
  struct rpc *rpc = user;
  (void)stream;
  give_back(rpc, 0);
  if (rpc->method->on_drained && !rpc->answered) rpc->method->on_drained(rpc);
}

static void rpc_free(struct rpc *rpc) {
  rpc->stream = NULL;
  if (rpc->method->on_closed) rpc->method->on_closed(rpc);
  pubsub_loop_timer_cancel(rpc->connection->loop, &rpc->delayed);
  pubsub_list_remove(&rpc->link);
  pubsub_buf_clear(&rpc->request);
  pubsub_free(rpc);
}

static void on_closed(void *user, struct pubsub_h2_stream *stream, uint32_t h2_error,
                      const struct pubsub_error *why) {
  (void)stream;
  (void)h2_error;
  (void)why;
  rpc_free(user);
}

static const struct pubsub_h2_stream_handler stream_handler = {
    .on_data = on_data, .on_end = on_end, .on_drained = on_drained, .on_closed = on_closed};

static const struct rpc_method *find_method(const struct rpc_service *service,
                                            struct pubsub_view path) {
  const struct rpc_method *method = service->methods;
  while (method->path && !pubsub_view_equal(path, pubsub_view_str(method->path)))
    method++;
  return method->path ? method : NULL;
}

static struct rpc *rpc_new(struct rpc_connection *connection, const struct rpc_method *method,
                           struct pubsub_h2_stream *stream) {
  struct rpc *rpc = pubsub_alloc_zero(1, sizeof *rpc);
  if (!rpc) return NULL; /* the stream stays unbound and is refused */
  rpc->connection = connection;
  rpc->server = connection->service->server;
  rpc->method = method;
  rpc->stream = stream;
  pubsub_frame_parser_init(&rpc->parser, RPC_MAX_REQUEST_BYTES);
  pubsub_list_push_back(&connection->calls, &rpc->link);
  return rpc;
}

static const struct refusal healthy = {"200", "Ok\n"},
                            no_grpc = {"415", "The content type must be application/grpc.\n"},
                            no_post = {"405", "The method must be POST.\n"};

static void on_request(void *user, struct pubsub_h2_conn *conn, struct pubsub_h2_stream *stream,
                       const struct pubsub_h2_header *headers, size_t count) {
  struct rpc_connection *connection = user;
  struct pubsub_view path = {0}, type = {0}, method_name = {0}, authorization = {0};
  bool gzip = false;
  (void)conn;
  for (size_t i = 0; i < count; i++) {
    struct pubsub_view name = headers[i].name, value = headers[i].value;
    if (pubsub_view_equal(name, pubsub_view_str(":path"))) path = value;
    if (pubsub_view_equal(name, pubsub_view_str(":method"))) method_name = value;
    if (pubsub_view_equal(name, pubsub_view_str("content-type"))) type = value;
    if (pubsub_view_equal(name, pubsub_view_str("authorization"))) authorization = value;
    if (pubsub_view_equal(name, pubsub_view_str("grpc-encoding"))) {
      gzip = pubsub_view_equal(value, pubsub_view_str("gzip"));
    }
  }
  if (pubsub_view_equal(method_name, pubsub_view_str("GET"))) {
    refuse_http(stream, &healthy);
    return;
  }
  if (type.len < 16 || memcmp(type.ptr, "application/grpc", 16) != 0) {
    refuse_http(stream, &no_grpc);
    return;
  }
  if (!pubsub_view_equal(method_name, pubsub_view_str("POST"))) {
    refuse_http(stream, &no_post);
    return;
  }
  const struct rpc_method *method = find_method(connection->service, path);
  if (!method) {
    refuse_grpc(stream, "12", "the method is not implemented");
    return;
  }
  const struct rpc_service *service = connection->service;
  const char *problem =
      service->admit ? service->admit(service->server, method, authorization) : NULL;
  if (problem) {
    refuse_grpc(stream, "16", problem);
    return;
  }
  struct rpc *rpc = rpc_new(connection, method, stream);
  if (!rpc) return;
  rpc->gzip = gzip;
  pubsub_h2_stream_bind(stream, &stream_handler, rpc);
  pubsub_h2_stream_set_low_water(stream, RPC_LOW_WATER_BYTES);
}

void rpc_connection_destroy(struct rpc_connection *connection) {
  while (!pubsub_list_empty(&connection->calls)) {
    rpc_free((struct rpc *)connection->calls.next); /* link is its first member */
  }
  pubsub_list_remove(&connection->link);
  pubsub_h2_conn_destroy(connection->h2);
  pubsub_free(connection);
}

static void on_conn_closed(void *user, struct pubsub_h2_conn *conn,
                           const struct pubsub_error *why) {
  struct rpc_connection *connection = user;
  (void)conn;
  (void)why;
  pubsub_list_remove(&connection->link);
  pubsub_free(connection);
}

static const struct pubsub_h2_conn_handler conn_handler = {.on_request = on_request,
                                                           .on_closed = on_conn_closed};

struct rpc_connection *rpc_connection_new(struct pubsub_loop *loop,
                                          struct pubsub_bytestream *take_stream,
                                          const struct pubsub_h2_options *options,
                                          const struct rpc_service *service,
                                          struct pubsub_list *list) {
  struct rpc_connection *connection = pubsub_alloc_zero(1, sizeof *connection);
  if (!connection) return NULL;
  pubsub_list_init(&connection->calls);
  connection->loop = loop;
  connection->service = service;
  connection->all = list;
  if (pubsub_h2_conn_new(loop, take_stream, options, &conn_handler, connection, &connection->h2,
                         NULL) != PUBSUB_OK) {
    pubsub_free(connection);
    return NULL;
  }
  pubsub_list_push_back(list, &connection->link);
  return connection;
}
