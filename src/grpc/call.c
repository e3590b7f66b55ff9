#include "grpc/call.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include <stdio.h>

#define CALL_OF_TIMER(ptr)                                                                         \
  ((struct pubsub_call *)((char *)(ptr)-offsetof(struct pubsub_call, timer)))

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
  pubsub_buf_clear(&call->details);
  pubsub_buf_clear(&call->response);
  pubsub_free(call);
}

/* Lets go of stream, timer and list; frees now, or when the last callback on the stack returns. */
static void retire(struct pubsub_call *call) {
  call->finished = true;
  pubsub_loop_timer_cancel(pubsub_channel_loop(call->channel), &call->timer);
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
    pubsub_channel_count_unauthenticated(call->channel);
  }
  retire(call);
  /* The peer has finished, or is not to go on: where our side is still open, it ends here. */
  if (stream) pubsub_h2_stream_reset(stream, PUBSUB_H2_CANCEL);
  call->handler->on_closed(call->user, result,
                           pubsub_view_of(call->details.ptr, call->details.len));
  leave(call);
}

void pubsub_call_cancel(struct pubsub_call *call) {
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

static void on_headers(void *user, struct pubsub_h2_stream *stream,
                       const struct pubsub_h2_header *headers, size_t count, bool trailers) {
  struct pubsub_call *call = user;
  (void)stream;
  for (size_t i = 0; i < count; i++)
    pubsub_call_read_header(call, &headers[i], trailers);
  if (trailers || call->grpc_status >= 0) return;
  if (call->http_status != 200 || !call->is_grpc) {
    /* Not gRPC: no status will follow, perhaps an endless page. */
    struct pubsub_error result;
    pubsub_call_verdict(call, &result);
    pubsub_call_finish(call, &result);
    return;
  }
  pubsub_channel_works(call->channel);
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
  if (!call->manual_window || call->http_status != 200 || !call->is_grpc) {
    pubsub_h2_stream_consume(stream, len);
  }
  if (call->http_status != 200 || !call->is_grpc) return;
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
  struct pubsub_error result;
  pubsub_call_verdict(call, &result);
  if (call->ended && pubsub_h2_stream_queued_bytes(stream) == 0) {
    /* Both sides have finished: the stream closes by itself. */
    pubsub_h2_stream_bind(stream, NULL, NULL);
    call->stream = NULL;
  }
  pubsub_call_finish(call, &result);
}

static void on_stream_closed(void *user, struct pubsub_h2_stream *stream, uint32_t h2_error,
                             const struct pubsub_error *why) {
  struct pubsub_call *call = user;
  struct pubsub_error result = {0};
  (void)stream;
  call->stream = NULL;
  if (call->grpc_status > 0) {
    pubsub_call_verdict(call, &result);
  } else if (why) {
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
  struct pubsub_call *call = CALL_OF_TIMER(timer);
  const struct pubsub_error *dial = pubsub_channel_dial_error(call->channel);
  struct pubsub_error result = {0};
  if (!call->stream && dial->status != PUBSUB_OK) {
    result = *dial; /* says more than that the time is over */
  } else {
    pubsub_error_set(&result, PUBSUB_E_TIMEOUT, "the service did not answer in time");
  }
  pubsub_call_finish(call, &result);
}

enum pubsub_status pubsub_call_start(struct pubsub_channel *channel,
                                     const struct pubsub_call_options *options,
                                     const struct pubsub_call_handler *handler, void *user,
                                     struct pubsub_call **out, struct pubsub_error *error) {
  struct pubsub_loop *loop = pubsub_channel_loop(channel);
  struct pubsub_call *call = pubsub_alloc_zero(1, sizeof *call);
  if (!call) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  pubsub_list_init(&call->link);
  call->channel = channel;
  call->handler = handler;
  call->user = user;
  call->encoding = options->encoding;
  call->manual_window = options->manual_window;
  call->fail_fast = options->fail_fast;
  call->grpc_status = -1;
  call->timer.run = on_timeout;
  pubsub_frame_parser_init(&call->parser, PUBSUB_CALL_MAX_MESSAGE_BYTES);
  call->method = pubsub_text_copy(options->method);
  call->routing_header = options->routing_header ? pubsub_text_copy(options->routing_header) : NULL;
  if (!call->method || (options->routing_header && !call->routing_header)) goto no_memory;
  if (options->timeout_us) {
    call->deadline_us = pubsub_loop_now_us(loop) + options->timeout_us;
    pubsub_loop_timer_set(loop, &call->timer, call->deadline_us);
  }
  *out = call;
  pubsub_channel_add(channel, call);
  return PUBSUB_OK;
no_memory:
  call_free(call);
  return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
}

static struct pubsub_h2_header header(const char *name, const char *value) {
  return (struct pubsub_h2_header){pubsub_view_str(name), pubsub_view_str(value), false};
}

static size_t fill_headers(const struct pubsub_call *call, struct pubsub_h2_header *out,
                           char *timeout, size_t timeout_bytes) {
  const struct pubsub_channel_options *options = pubsub_channel_options(call->channel);
  struct pubsub_view authorization = pubsub_channel_authorization(call->channel);
  size_t count = 0;
  out[count++] = header(":method", "POST");
  out[count++] = header(":scheme", options->tls ? "https" : "http");
  out[count++] = header(":path", call->method);
  out[count++] = header(":authority", pubsub_channel_authority(call->channel));
  out[count++] = header("te", "trailers");
  out[count++] = header("content-type", "application/grpc");
  out[count++] = header("user-agent", options->user_agent);
  out[count++] = header("x-goog-api-client", "gl-c/11 gccl/" PUBSUB_VERSION_STRING);
  if (call->deadline_us) {
    uint64_t now = pubsub_loop_now_us(pubsub_channel_loop(call->channel));
    uint64_t ms = call->deadline_us > now ? (call->deadline_us - now + 999) / 1000 : 1;
    snprintf(timeout, timeout_bytes, "%llum", (unsigned long long)(ms > 99999999 ? 99999999 : ms));
    out[count++] = header("grpc-timeout", timeout);
  }
  if (call->encoding) out[count++] = header("grpc-encoding", call->encoding);
  if (call->routing_header) out[count++] = header("x-goog-request-params", call->routing_header);
  if (options->quota_project) out[count++] = header("x-goog-user-project", options->quota_project);
  if (authorization.len > 0) {
    out[count++] = (struct pubsub_h2_header){pubsub_view_str("authorization"), authorization, true};
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
  if (call->stream) pubsub_h2_stream_consume(call->stream, bytes);
}

void pubsub_call_set_window(struct pubsub_call *call, uint32_t bytes) {
  call->window_bytes = bytes;
  if (call->stream) pubsub_h2_stream_set_window(call->stream, bytes);
}
