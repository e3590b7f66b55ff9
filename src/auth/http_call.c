#include "auth/http_call.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include "base/wipe.h"

#define READ_BYTES 4096

struct pubsub_http_call {
  struct pubsub_loop *loop;
  struct pubsub_timer timer;
  struct pubsub_dial *dial;         /* while dialling */
  struct pubsub_bytestream *stream; /* from then on */
  struct pubsub_buf request;
  size_t sent;
  struct pubsub_http_answer answer;
  pubsub_http_call_done_fn *on_done;
  void *user;
};

static void call_free(struct pubsub_http_call *call) {
  pubsub_loop_timer_cancel(call->loop, &call->timer);
  if (call->dial) pubsub_dial_cancel(call->dial);
  if (call->stream) call->stream->ops->destroy(call->stream);
  pubsub_buf_wipe(&call->request);
  pubsub_http_answer_clear(&call->answer);
  pubsub_free(call);
}

void pubsub_http_call_cancel(struct pubsub_http_call *call) {
  call_free(call);
}

/* error NULL: the answer is whole. */
static void finish(struct pubsub_http_call *call, const struct pubsub_error *error) {
  call->on_done(call->user, error ? NULL : &call->answer, error);
  call_free(call);
}

static void on_timeout(struct pubsub_timer *timer) {
  struct pubsub_error error = {0};
  pubsub_error_set(&error, PUBSUB_E_TIMEOUT, "no answer in time");
  finish(PUBSUB_CONTAINER_OF(timer, struct pubsub_http_call, timer), &error);
}

/* 1: all is sent; else as the stream says. */
static int send_request(struct pubsub_http_call *call, struct pubsub_error *error) {
  while (call->sent < call->request.len) {
    struct iovec part = {call->request.ptr + call->sent, call->request.len - call->sent};
    ssize_t put = call->stream->ops->writev(call->stream, &part, 1, error);
    if (put <= 0) return (int)put;
    call->sent += (size_t)put;
  }
  return 1;
}

/* 1: the answer is whole. */
static int read_answer(struct pubsub_http_call *call, struct pubsub_error *error) {
  uint8_t bytes[READ_BYTES];
  while (call->answer.stage != PUBSUB_HTTP_DONE) {
    ssize_t got = call->stream->ops->read(call->stream, bytes, sizeof bytes, error);
    enum pubsub_status status = PUBSUB_OK;
    if (got == PUBSUB_BYTESTREAM_AGAIN || got == PUBSUB_BYTESTREAM_ERROR) return (int)got;
    if (got == PUBSUB_BYTESTREAM_EOF) {
      status = pubsub_http_answer_end(&call->answer, error);
    } else {
      status = pubsub_http_answer_feed(&call->answer, pubsub_view_of(bytes, (size_t)got), error);
    }
    pubsub_wipe(bytes, sizeof bytes);
    if (status != PUBSUB_OK) return PUBSUB_BYTESTREAM_ERROR;
  }
  return 1;
}

static void on_event(void *user, unsigned events) {
  struct pubsub_http_call *call = user;
  struct pubsub_error error = {0};
  (void)events;
  int step = send_request(call, &error);
  bool sending = step != 1;
  if (!sending) step = read_answer(call, &error);
  if (step == PUBSUB_BYTESTREAM_AGAIN) {
    unsigned interest = sending ? PUBSUB_IO_READ | PUBSUB_IO_WRITE : PUBSUB_IO_READ;
    call->stream->ops->set_interest(call->stream, interest);
  } else {
    finish(call, step == 1 ? NULL : &error);
  }
}

static void on_dialled(void *user, struct pubsub_bytestream *take_stream,
                       const struct pubsub_error *error) {
  struct pubsub_http_call *call = user;
  call->dial = NULL;
  call->stream = take_stream;
  if (!take_stream) {
    finish(call, error);
    return;
  }
  take_stream->on_event = on_event;
  take_stream->user = call;
  on_event(call, 0);
}

enum pubsub_status
pubsub_http_call_start(struct pubsub_loop *loop, const struct pubsub_http_call_options *options,
                       struct pubsub_buf *take_request, pubsub_http_call_done_fn *on_done,
                       void *user, struct pubsub_http_call **out, struct pubsub_error *error) {
  PUBSUB_ON_LOOP(loop);
  struct pubsub_http_call *call = pubsub_alloc_zero(1, sizeof *call);
  if (!call) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  call->loop = loop;
  call->timer.run = on_timeout;
  call->on_done = on_done;
  call->user = user;
  call->answer.ends_at_102 = options->ends_at_102;
  struct pubsub_dial_options dial = {.host = options->url->host,
                                     .port = options->url->port,
                                     .tls = options->url->tls ? options->tls : NULL,
                                     .proxy = options->proxy,
                                     .timeout_ms = options->timeout_ms};
  enum pubsub_status status = pubsub_dial_start(loop, &dial, on_dialled, call, &call->dial, error);
  if (status != PUBSUB_OK) {
    call_free(call);
    return status;
  }
  call->request = *take_request;
  *take_request = (struct pubsub_buf){0};
  pubsub_loop_timer_set(loop, &call->timer,
                        pubsub_loop_now_us(loop) + (uint64_t)options->timeout_ms * 1000);
  *out = call;
  return PUBSUB_OK;
}
