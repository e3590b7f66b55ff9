#include "rpc/grpc.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/text.h"
#include "grpc/frame.h"
#include "h2/errors.h"
#include "http/http1.h"
#include "rpc/encode.h"
#include "rpc/gunzip.h"
#include "rpc/timeout.h"
#include <stdio.h>

#define MAX_REQUEST_BYTES ((size_t)20 << 20)
#define LOW_WATER_BYTES ((size_t)256 * 1024)
#define HIGH_WATER_BYTES ((size_t)2 << 20)

struct grpc_call {
  struct pubsub_list link; /* in connection.calls; first */
  struct call call;
  struct connection *connection;
  struct pubsub_h2_stream *stream; /* NULL: closed */
  bool answered;                   /* the status was queued: say no more */
  bool headers_sent, gzip, compressed;
  bool intercepted;             /* `intercept` has seen its first message */
  size_t withheld_bytes;        /* of the request, not given back to the stream's window */
  struct pubsub_timer delayed;  /* the first message waits for it */
  struct pubsub_timer overtime; /* the client's patience ends */
  struct pubsub_frame_parser parser;
  struct pubsub_buf request;
};

static struct grpc_call *of(const struct call *call) {
  return PUBSUB_CONTAINER_OF(call, struct grpc_call, call);
}

/* ---- answers ---- */

static struct pubsub_h2_header header(const char *name, const char *value) {
  return (struct pubsub_h2_header){pubsub_view_str(name), pubsub_view_str(value), false};
}

/* RST_STREAM: an answer that cannot be made (no memory) must not leave the client waiting. */
static void give_up(struct grpc_call *grpc) {
  grpc->answered = true;
  pubsub_h2_stream_reset(grpc->stream, PUBSUB_H2_INTERNAL_ERROR);
}

static void send_headers(struct grpc_call *grpc) {
  struct pubsub_h2_header headers[] = {header(":status", "200"),
                                       header("content-type", "application/grpc"),
                                       header("grpc-accept-encoding", "identity,gzip")};
  if (grpc->headers_sent) return;
  grpc->headers_sent = true;
  if (pubsub_h2_stream_respond(grpc->stream, headers, 3, false) != PUBSUB_OK) give_up(grpc);
}

static void start(struct call *call) {
  struct grpc_call *grpc = of(call);
  if (grpc->stream && !grpc->answered) send_headers(grpc);
}

static void release_all(const struct pubsub_segment *segments, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (segments[i].release) segments[i].release(segments[i].owner);
  }
}

/* Takes the segments on success. */
static enum pubsub_status try_send(struct grpc_call *grpc, const struct pubsub_segment *segments,
                                   size_t count) {
  uint8_t *prefix = pubsub_alloc(PUBSUB_FRAME_PREFIX_BYTES);
  if (!prefix) return PUBSUB_E_NOMEM;
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++)
    bytes += segments[i].len;
  pubsub_frame_prefix_write(prefix, bytes, false);
  struct pubsub_segment first = {prefix, PUBSUB_FRAME_PREFIX_BYTES, pubsub_free, prefix};
  enum pubsub_status status = pubsub_h2_stream_send(grpc->stream, &first, 1, false);
  if (status != PUBSUB_OK) {
    pubsub_free(prefix);
    return status;
  }
  return pubsub_h2_stream_send(grpc->stream, segments, count, false);
}

static void send_message(struct call *call, const struct pubsub_segment *take_segments,
                         size_t count) {
  struct grpc_call *grpc = of(call);
  if (grpc->stream && !grpc->answered) send_headers(grpc);
  if (!grpc->stream || grpc->answered) {
    release_all(take_segments, count);
  } else if (try_send(grpc, take_segments, count) != PUBSUB_OK) {
    release_all(take_segments, count);
    give_up(grpc);
  }
}

static void send_status(struct grpc_call *grpc, int code, const char *message,
                        const char *details) {
  char code_text[12], escaped[1024];
  if (!grpc->stream || grpc->answered) return;
  grpc->answered = true;
  snprintf(code_text, sizeof code_text, "%d", code);
  encode_message(message, escaped, sizeof escaped);
  struct pubsub_h2_header headers[] = {
      header(":status", "200"), header("content-type", "application/grpc"),
      header("grpc-status", code_text), header("grpc-message", escaped),
      header("grpc-status-details-bin", details ? details : "")};
  size_t first = grpc->headers_sent ? 2 : 0, end = details ? 5 : escaped[0] ? 4 : 3;
  enum pubsub_status status =
      grpc->headers_sent ? pubsub_h2_stream_trailers(grpc->stream, headers + first, end - first)
                         : pubsub_h2_stream_respond(grpc->stream, headers, end, true);
  if (status != PUBSUB_OK) give_up(grpc);
}

static void finish(struct call *call) {
  struct grpc_call *grpc = of(call);
  if (grpc->stream && !grpc->answered) send_headers(grpc);
  send_status(grpc, 0, "", NULL);
}

static void reply_bytes(struct call *call, struct pubsub_buf *take_response) {
  struct pubsub_segment segment = pubsub_segment_from_buf(take_response);
  send_message(call, &segment, 1);
  finish(call);
}

static void reply(struct call *call, const ProtobufCMessage *response) {
  struct pubsub_buf bytes = {0};
  if (pubsub_buf_reserve(&bytes, protobuf_c_message_get_packed_size(response)) != PUBSUB_OK) {
    call_fail(call, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    return;
  }
  bytes.len = protobuf_c_message_pack(response, bytes.ptr);
  reply_bytes(call, &bytes);
}

static void fail(struct call *call, int grpc_code, const char *message,
                 struct pubsub_view details) {
  size_t cap = PUBSUB_BASE64_CHARS(details.len) + 1;
  char *text = details.len > 0 ? pubsub_alloc(cap) : NULL;
  if (text) pubsub_base64_encode(details, true, text, cap);
  send_status(of(call), grpc_code, message, text);
  pubsub_free(text);
}

static size_t queued_bytes(const struct call *call) {
  const struct grpc_call *grpc = of(call);
  return grpc->stream ? pubsub_h2_stream_queued_bytes(grpc->stream) : 0;
}

/* ---- misbehaviour on demand ---- */

static void on_delay_over(struct pubsub_timer *timer) {
  struct grpc_call *grpc = PUBSUB_CONTAINER_OF(timer, struct grpc_call, delayed);
  if (!grpc->answered) call_receive(&grpc->call, &grpc->request);
}

static void delay(struct call *call, uint64_t us) {
  struct grpc_call *grpc = of(call);
  struct pubsub_loop *loop = grpc->connection->loop;
  grpc->delayed.run = on_delay_over;
  pubsub_loop_timer_set(loop, &grpc->delayed, pubsub_loop_now_us(loop) + us);
}

static void disturb_others(const struct connection *own, bool goaway) {
  const struct pubsub_list *all = own->all;
  for (const struct pubsub_list *link = all->next; link != all; link = link->next) {
    const struct connection *other = PUBSUB_CONTAINER_OF(link, struct connection, link);
    if (other == own) continue;
    if (goaway) {
      pubsub_h2_conn_goaway(other->h2, 0);
    } else {
      pubsub_h2_conn_abort(other->h2);
    }
  }
  http1_end_all(own->site, goaway);
}

static void disturb(struct call *call, enum disturbance how) {
  struct grpc_call *grpc = of(call);
  if (how == DISTURB_RESET && grpc->stream && !grpc->answered) give_up(grpc);
  if (how == DISTURB_GOAWAY) pubsub_h2_conn_goaway(grpc->connection->h2, 0);
  if (how == DISTURB_CUT) pubsub_h2_conn_abort(grpc->connection->h2);
  if (how == DISTURB_OTHERS_GOAWAY) disturb_others(grpc->connection, true);
  if (how == DISTURB_OTHERS_CUT) disturb_others(grpc->connection, false);
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

/* ---- requests ---- */

static enum pubsub_status on_begin(void *user, size_t message_bytes, bool compressed) {
  struct grpc_call *grpc = user;
  grpc->compressed = compressed;
  grpc->request.len = 0;
  return pubsub_buf_reserve(&grpc->request, message_bytes);
}

static enum pubsub_status on_piece(void *user, const uint8_t *data, size_t len) {
  struct grpc_call *grpc = user;
  return pubsub_buf_append(&grpc->request, data, len);
}

static void on_overtime(struct pubsub_timer *timer) {
  struct grpc_call *grpc = PUBSUB_CONTAINER_OF(timer, struct grpc_call, overtime);
  call_fail(&grpc->call, PUBSUB_GRPC_DEADLINE_EXCEEDED, "the deadline of the call has passed");
}

/* Most calls are answered at once, and need no timer. */
static void watch_overtime(struct grpc_call *grpc) {
  struct pubsub_loop *loop = grpc->connection->loop;
  if (grpc->answered || grpc->call.timeout_us == UINT64_MAX || grpc->overtime.run) return;
  grpc->overtime.run = on_overtime;
  pubsub_loop_timer_set(loop, &grpc->overtime, pubsub_loop_now_us(loop) + grpc->call.timeout_us);
}

static enum pubsub_status on_message(void *user) {
  struct grpc_call *grpc = user;
  const struct service *service = grpc->connection->service;
  bool first = !grpc->intercepted;
  if (grpc->answered) return PUBSUB_OK;
  if (grpc->compressed && (!grpc->gzip || !gunzip(&grpc->request, MAX_REQUEST_BYTES))) {
    call_fail(&grpc->call, PUBSUB_GRPC_INTERNAL, "cannot decompress the request");
    return PUBSUB_OK;
  }
  grpc->intercepted = true;
  if (!first || !service->intercept ||
      service->intercept(&grpc->call, pubsub_view_of(grpc->request.ptr, grpc->request.len))) {
    call_receive(&grpc->call, &grpc->request);
  }
  watch_overtime(grpc);
  return PUBSUB_OK;
}

static const struct pubsub_frame_handler frame_handler = {on_begin, on_piece, on_message};

static void give_back(struct grpc_call *grpc, size_t len) {
  grpc->withheld_bytes += len;
  if (queued_bytes(&grpc->call) > HIGH_WATER_BYTES) return;
  pubsub_h2_stream_consume(grpc->stream, grpc->withheld_bytes);
  grpc->withheld_bytes = 0;
}

static void on_data(void *user, struct pubsub_h2_stream *stream, const uint8_t *data, size_t len) {
  struct grpc_call *grpc = user;
  (void)stream;
  give_back(grpc, len);
  if (grpc->answered) return;
  if (pubsub_frame_parser_feed(&grpc->parser, &frame_handler, grpc, data, len) != PUBSUB_OK) {
    call_fail(&grpc->call, PUBSUB_GRPC_RESOURCE_EXHAUSTED,
              "the request is malformed or over %zu bytes", MAX_REQUEST_BYTES);
  }
}

static void on_end(void *user, struct pubsub_h2_stream *stream) {
  struct grpc_call *grpc = user;
  (void)stream;
  if (grpc->answered) return;
  if (!pubsub_frame_parser_at_boundary(&grpc->parser)) {
    call_fail(&grpc->call, PUBSUB_GRPC_INVALID_ARGUMENT, "the request is cut off");
  } else if (grpc->call.method->on_half_close) {
    grpc->call.method->on_half_close(&grpc->call);
  }
}

static void on_drained(void *user, struct pubsub_h2_stream *stream) {
  struct grpc_call *grpc = user;
  (void)stream;
  give_back(grpc, 0);
  if (grpc->call.method->on_drained && !grpc->answered) grpc->call.method->on_drained(&grpc->call);
}

/* ---- life ---- */

static void free_call(struct grpc_call *grpc) {
  grpc->stream = NULL;
  if (grpc->call.method->on_closed) grpc->call.method->on_closed(&grpc->call);
  pubsub_loop_timer_cancel(grpc->connection->loop, &grpc->delayed);
  pubsub_loop_timer_cancel(grpc->connection->loop, &grpc->overtime);
  pubsub_list_remove(&grpc->link);
  pubsub_buf_clear(&grpc->request);
  pubsub_free(grpc);
}

static void on_closed(void *user, struct pubsub_h2_stream *stream, uint32_t h2_error,
                      const struct pubsub_error *why) {
  (void)stream;
  (void)h2_error;
  (void)why;
  free_call(user);
}

static const struct pubsub_h2_stream_handler stream_handler = {
    .on_data = on_data, .on_end = on_end, .on_drained = on_drained, .on_closed = on_closed};

void grpc_open(struct connection *connection, struct pubsub_h2_stream *stream,
               const struct method *method, struct pubsub_view encoding,
               struct pubsub_view timeout) {
  struct grpc_call *grpc = pubsub_alloc_zero(1, sizeof *grpc);
  if (!grpc) return;
  grpc->connection = connection;
  grpc->stream = stream;
  grpc->gzip = pubsub_view_equal(encoding, pubsub_view_str("gzip"));
  grpc->call = (struct call){.method = method,
                             .ops = &answer_ops,
                             .broker = connection->service->broker,
                             .timeout_us = timeout_parse(timeout)};
  pubsub_frame_parser_init(&grpc->parser, MAX_REQUEST_BYTES);
  pubsub_list_push_back(&connection->calls, &grpc->link);
  pubsub_h2_stream_bind(stream, &stream_handler, grpc);
  pubsub_h2_stream_set_low_water(stream, LOW_WATER_BYTES);
}

void grpc_destroy_all(struct pubsub_list *calls) {
  while (!pubsub_list_empty(calls)) {
    free_call(PUBSUB_CONTAINER_OF(calls->next, struct grpc_call, link));
  }
}
