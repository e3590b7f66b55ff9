#include "grpc/call_inside.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include "base/text.h"
#include <stdio.h>

static void drop_pending(struct pubsub_call *call) {
  for (size_t i = 0; i < call->pending_count; i++) {
    if (call->pending[i].release) call->pending[i].release(call->pending[i].owner);
  }
  call->pending_count = call->pending_bytes = 0;
}

static void call_free(struct pubsub_call *call) {
  drop_pending(call);
  pubsub_free(call->pending);
  pubsub_free(call->method);
  pubsub_free(call->routing_header);
  pubsub_verdict_clear(&call->verdict);
  pubsub_free(call);
}

/* Lets go of stream, timer and list; frees now, or when the last callback on the stack returns. */
static void retire(struct pubsub_call *call) {
  call->finished = true;
  pubsub_loop_timer_cancel(call->context->loop, &call->timer);
  pubsub_list_remove(&call->link);
  if (call->stream) {
    pubsub_h2_stream_bind(call->stream, NULL, NULL);
    call->stream = NULL;
  }
  if (call->busy == 0) call_free(call);
}

static void enter(struct pubsub_call *call) {
  call->busy++;
}

static void leave(struct pubsub_call *call) {
  if (--call->busy == 0 && call->finished) call_free(call);
}

void pubsub_call_finish(struct pubsub_call *call, const struct pubsub_error *result) {
  if (call->finished) return;
  enter(call);
  struct pubsub_h2_stream *stream = call->stream;
  if (result->status == PUBSUB_E_GRPC && result->grpc_code == PUBSUB_GRPC_UNAUTHENTICATED) {
    call->context->on_unauthenticated(call->context->owner);
  }
  retire(call);
  /* The peer has finished, or is not to go on: where our side is still open, it ends here. */
  if (stream) pubsub_h2_stream_reset(stream, PUBSUB_H2_CANCEL);
  call->handler->on_closed(call->user, result,
                           pubsub_view_of(call->verdict.details.ptr, call->verdict.details.len));
  leave(call);
}

void pubsub_call_cancel(struct pubsub_call *call) {
  PUBSUB_ON_LOOP(call->context->loop);
  if (call->finished) return;
  struct pubsub_h2_stream *stream = call->stream;
  retire(call);
  if (stream) pubsub_h2_stream_reset(stream, PUBSUB_H2_CANCEL);
}

/* ---- what arrives ---- */

static enum pubsub_status on_frame_begin(void *user, size_t message_bytes, bool compressed) {
  struct pubsub_call *call = user;
  if (compressed) return PUBSUB_E_PROTOCOL; /* we never offered to accept it */
  enum pubsub_status status = call->handler->on_message_begin(call->user, message_bytes);
  return call->finished ? PUBSUB_E_CLOSED : status;
}

static enum pubsub_status on_frame_data(void *user, const uint8_t *data, size_t len) {
  struct pubsub_call *call = user;
  enum pubsub_status status = call->handler->on_message_data(call->user, data, len);
  return call->finished ? PUBSUB_E_CLOSED : status;
}

static enum pubsub_status on_frame_end(void *user) {
  struct pubsub_call *call = user;
  enum pubsub_status status = call->handler->on_message_end(call->user);
  return call->finished ? PUBSUB_E_CLOSED : status;
}

static const struct pubsub_frame_handler frame_handler = {on_frame_begin, on_frame_data,
                                                          on_frame_end};

static void finish_with_verdict(struct pubsub_call *call) {
  struct pubsub_error result;
  pubsub_verdict_result(&call->verdict, pubsub_frame_parser_at_boundary(&call->parser), &result);
  pubsub_call_finish(call, &result);
}

static void on_headers(void *user, struct pubsub_h2_stream *stream,
                       const struct pubsub_h2_header *headers, size_t count, bool trailers) {
  struct pubsub_call *call = user;
  (void)stream;
  for (size_t i = 0; i < count; i++)
    pubsub_verdict_read(&call->verdict, &headers[i], trailers);
  if (trailers || call->verdict.grpc_status >= 0) return;
  if (!pubsub_verdict_is_answer(&call->verdict)) {
    /* Not gRPC: no status will follow, perhaps an endless page. */
    finish_with_verdict(call);
    return;
  }
  call->context->on_answered(call->context->owner);
  if (!call->handler->on_headers) return;
  enter(call);
  call->handler->on_headers(call->user);
  leave(call);
}

/* What was wrong with the bytes that the parser or the handler refused. */
static void explain_refusal(const struct pubsub_call *call, enum pubsub_status status,
                            struct pubsub_error *out) {
  const struct pubsub_frame_parser *parser = &call->parser;
  if (status == PUBSUB_E_NOMEM) {
    pubsub_error_set(out, status, "out of memory");
  } else if (parser->left > parser->max_bytes) {
    pubsub_error_set(out, status, "malformed response: a message of %zu bytes (at most %zu)",
                     parser->left, parser->max_bytes);
  } else if (parser->prefix[0] == 1) {
    pubsub_error_set(out, status, "malformed response: compressed, which was not asked for");
  } else {
    pubsub_error_set(out, status, "malformed response");
  }
  out->retryable = true;
}

static void on_data(void *user, struct pubsub_h2_stream *stream, const uint8_t *data, size_t len) {
  struct pubsub_call *call = user;
  bool is_answer = pubsub_verdict_is_answer(&call->verdict);
  if (!call->manual_window || !is_answer) pubsub_h2_stream_consume(stream, len);
  if (!is_answer) return;
  enter(call);
  enum pubsub_status status =
      pubsub_frame_parser_feed(&call->parser, &frame_handler, call, data, len);
  if (status != PUBSUB_OK && !call->finished) {
    struct pubsub_error error = {0};
    explain_refusal(call, status, &error);
    pubsub_call_finish(call, &error);
  }
  leave(call);
}

static void on_end(void *user, struct pubsub_h2_stream *stream) {
  struct pubsub_call *call = user;
  if (call->ended && pubsub_h2_stream_queued_bytes(stream) == 0) {
    /* Both sides have finished: the stream closes by itself. */
    pubsub_h2_stream_bind(stream, NULL, NULL);
    call->stream = NULL;
  }
  finish_with_verdict(call);
}

static void on_stream_closed(void *user, struct pubsub_h2_stream *stream, uint32_t h2_error,
                             const struct pubsub_error *why) {
  struct pubsub_call *call = user;
  struct pubsub_error result = {0};
  (void)stream;
  call->stream = NULL;
  if (call->verdict.grpc_status > 0) {
    finish_with_verdict(call);
    return;
  }
  if (why) {
    result = *why;
    result.retryable = why->status != PUBSUB_E_CLOSED;
  } else if (h2_error == PUBSUB_H2_REFUSED_STREAM) {
    pubsub_error_set_grpc(&result, PUBSUB_GRPC_UNAVAILABLE, "the peer refused the stream");
  } else if (h2_error == PUBSUB_H2_ENHANCE_YOUR_CALM) {
    pubsub_error_set_grpc(&result, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "the peer asked to slow down");
  } else {
    pubsub_error_set(&result, PUBSUB_E_IO, "the peer reset the stream (HTTP/2 error %u)", h2_error);
  }
  pubsub_call_finish(call, &result);
}

static const struct pubsub_h2_stream_handler stream_handler = {
    .on_headers = on_headers, .on_data = on_data, .on_end = on_end, .on_closed = on_stream_closed};

/* ---- starting ---- */

static void on_timeout(struct pubsub_timer *timer) {
  struct pubsub_call *call = PUBSUB_CONTAINER_OF(timer, struct pubsub_call, timer);
  const struct pubsub_error *dial = &call->context->dial_error;
  struct pubsub_error result = {0};
  if (!call->stream && dial->status != PUBSUB_OK) {
    result = *dial; /* says more than that the time is over */
  } else {
    pubsub_error_set(&result, PUBSUB_E_TIMEOUT, "the service did not answer in time");
  }
  pubsub_call_finish(call, &result);
}

enum pubsub_status pubsub_call_new(const struct pubsub_call_context *context,
                                   const struct pubsub_call_options *options,
                                   const struct pubsub_call_handler *handler, void *user,
                                   struct pubsub_call **out) {
  struct pubsub_call *call = pubsub_alloc_zero(1, sizeof *call);
  if (!call) return PUBSUB_E_NOMEM;
  pubsub_list_init(&call->link);
  call->context = context;
  call->handler = handler;
  call->user = user;
  call->encoding = options->encoding;
  call->manual_window = options->manual_window;
  call->fail_fast = options->fail_fast;
  call->timer.run = on_timeout;
  pubsub_verdict_init(&call->verdict);
  pubsub_frame_parser_init(&call->parser, PUBSUB_CALL_MAX_MESSAGE_BYTES);
  call->method = pubsub_text_copy(options->method);
  if (options->routing_header) call->routing_header = pubsub_text_copy(options->routing_header);
  if (!call->method || (options->routing_header && !call->routing_header)) {
    call_free(call);
    return PUBSUB_E_NOMEM;
  }
  if (options->timeout_us) {
    call->deadline_us = pubsub_loop_now_us(context->loop) + options->timeout_us;
    pubsub_loop_timer_set(context->loop, &call->timer, call->deadline_us);
  }
  *out = call;
  return PUBSUB_OK;
}

static struct pubsub_h2_header header(const char *name, const char *value) {
  return (struct pubsub_h2_header){pubsub_view_str(name), pubsub_view_str(value), false};
}

static size_t fill_headers(const struct pubsub_call *call, struct pubsub_h2_header *out,
                           char *timeout, size_t timeout_bytes) {
  const struct pubsub_call_context *context = call->context;
  const struct pubsub_buf *authorization = &context->authorization;
  size_t count = 0;
  out[count++] = header(":method", "POST");
  out[count++] = header(":scheme", context->tls ? "https" : "http");
  out[count++] = header(":path", call->method);
  out[count++] = header(":authority", context->authority);
  out[count++] = header("te", "trailers");
  out[count++] = header("content-type", "application/grpc");
  out[count++] = header("user-agent", context->user_agent);
  out[count++] = header("x-goog-api-client", "gl-c/11 gccl/" PUBSUB_VERSION_STRING);
  if (call->deadline_us) {
    uint64_t now = pubsub_loop_now_us(call->context->loop);
    uint64_t ms = call->deadline_us > now ? (call->deadline_us - now + 999) / 1000 : 1;
    snprintf(timeout, timeout_bytes, "%llum", (unsigned long long)(ms > 99999999 ? 99999999 : ms));
    out[count++] = header("grpc-timeout", timeout);
  }
  if (call->encoding) out[count++] = header("grpc-encoding", call->encoding);
  if (call->routing_header) out[count++] = header("x-goog-request-params", call->routing_header);
  if (context->quota_project) out[count++] = header("x-goog-user-project", context->quota_project);
  if (context->tls && authorization->len > 0) { /* never over plaintext */
    out[count++] =
        (struct pubsub_h2_header){pubsub_view_str("authorization"),
                                  pubsub_view_of(authorization->ptr, authorization->len), true};
  }
  return count;
}

enum pubsub_status pubsub_call_open(struct pubsub_call *call, struct pubsub_h2_conn *conn,
                                    struct pubsub_error *error) {
  struct pubsub_h2_header headers[16];
  char timeout[16];
  size_t count = fill_headers(call, headers, timeout, sizeof timeout);
  enum pubsub_status status =
      pubsub_h2_conn_open_stream(conn, headers, count, &stream_handler, call, &call->stream, error);
  if (status != PUBSUB_OK) return status;
  if (call->window_bytes) pubsub_h2_stream_set_window(call->stream, call->window_bytes);
  if (call->pending_count > 0 || call->ended) {
    status = pubsub_h2_stream_send(call->stream, call->pending, call->pending_count, call->ended);
    if (status != PUBSUB_OK) {
      pubsub_h2_stream_bind(call->stream, NULL, NULL);
      pubsub_h2_stream_reset(call->stream, PUBSUB_H2_CANCEL);
      call->stream = NULL;
      return pubsub_error_set(error, status, "out of memory");
    }
    call->pending_count = call->pending_bytes = 0;
  }
  return PUBSUB_OK;
}

/* ---- sending ---- */

static enum pubsub_status pending_reserve(struct pubsub_call *call, size_t more) {
  size_t cap = call->pending_cap ? call->pending_cap : 4;
  while (cap < call->pending_count + more)
    cap *= 2;
  if (cap == call->pending_cap) return PUBSUB_OK;
  void *pending = pubsub_realloc(call->pending, cap * sizeof *call->pending);
  if (!pending) return PUBSUB_E_NOMEM;
  call->pending = pending;
  call->pending_cap = cap;
  return PUBSUB_OK;
}

/* The segments go through `pending` in any case: with a stream, only for the time of this call. */
enum pubsub_status pubsub_call_send(struct pubsub_call *call,
                                    const struct pubsub_segment *take_segments, size_t count,
                                    bool end) {
  PUBSUB_ON_LOOP(call->context->loop);
  if (call->finished || call->ended) return PUBSUB_E_CLOSED;
  size_t bytes = 0;
  for (size_t i = 0; i < count; i++)
    bytes += take_segments[i].len;
  if (pending_reserve(call, count + 1) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  size_t before = call->pending_count;
  if (count > 0) {
    uint8_t *prefix = pubsub_alloc(PUBSUB_FRAME_PREFIX_BYTES);
    if (!prefix) return PUBSUB_E_NOMEM;
    pubsub_frame_prefix_write(prefix, bytes, call->encoding != NULL);
    call->pending[call->pending_count++] =
        (struct pubsub_segment){prefix, PUBSUB_FRAME_PREFIX_BYTES, pubsub_free, prefix};
  }
  for (size_t i = 0; i < count; i++)
    call->pending[call->pending_count++] = take_segments[i];
  if (call->stream) {
    enum pubsub_status status =
        pubsub_h2_stream_send(call->stream, call->pending, call->pending_count, end);
    if (status != PUBSUB_OK) {
      if (count > 0) pubsub_free((void *)(uintptr_t)call->pending[before].ptr);
      call->pending_count = before;
      return status;
    }
    call->pending_count = 0;
  } else {
    call->pending_bytes += bytes;
  }
  call->ended = end;
  return PUBSUB_OK;
}

size_t pubsub_call_queued_bytes(const struct pubsub_call *call) {
  return call->stream ? pubsub_h2_stream_queued_bytes(call->stream) : call->pending_bytes;
}

void pubsub_call_consume(struct pubsub_call *call, size_t bytes) {
  PUBSUB_ON_LOOP(call->context->loop);
  if (call->stream) pubsub_h2_stream_consume(call->stream, bytes);
}

void pubsub_call_set_window(struct pubsub_call *call, uint32_t bytes) {
  PUBSUB_ON_LOOP(call->context->loop);
  call->window_bytes = bytes;
  if (call->stream) pubsub_h2_stream_set_window(call->stream, bytes);
}
