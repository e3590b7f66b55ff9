#include "sub/pull.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/container.h"
#include "grpc/explain.h"
#include "proto/wire.h"
#include <stdio.h>

#define MAX_RESPONSE_BYTES ((size_t)24 << 20)
#define FIRST_BACKOFF_US 100000
#define MAX_BACKOFF_US 10000000
#define AT_ONCE_US                                                                                 \
  1000000 /* a stream that lived so long is opened again at once after a clean end */
#define FIRST_PING_US 250000
#define FIRST_PATIENCE_US 5000000 /* with a server of which nothing is known */
#define PING_CREDIT 3
#define SILENT_PINGS                                                                               \
  20 /* ping intervals without a response after which a deaf server's stream is opened again */
#define UNAUTHENTICATED_TRIES 5
/* A finishing stream: so long without a byte, or so long in all, and nothing is to be expected any
 * more. */
#define FINISH_QUIET_US 300000
#define FINISH_MOST_US 5000000

enum {
  SUBSCRIPTION = 1 << 3 | 2,
  DEADLINE = 5 << 3,
  CLIENT_ID = 6 << 3 | 2,
  MAX_MESSAGES = 7 << 3
};
enum { RECEIVED_MESSAGES = 1 << 3 | 2 }; /* of a response */
enum { MAX_BYTES = 8 << 3, PROTOCOL_VERSION = 10 << 3 };

static void open_stream(struct pubsub_pull *pull);

static struct pubsub_loop *loop_of(const struct pubsub_pull *pull) {
  return pubsub_channel_loop(pull->channel);
}

static void set_state(struct pubsub_pull *pull, enum pubsub_pull_state state) {
  if (pull->state == state) return;
  pull->state = state;
  pull->handler->on_state(pull->user, state);
}

static void set_timer(struct pubsub_pull *pull, uint64_t delay_us) {
  pubsub_loop_timer_set(loop_of(pull), &pull->timer, pubsub_loop_now_us(loop_of(pull)) + delay_us);
}

static uint64_t ping_every_us(const struct pubsub_pull *pull) {
  return (uint64_t)pubsub_channel_keepalive_ms(pull->channel) * 1000;
}

static uint64_t smaller(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

static void open_later(struct pubsub_pull *pull) {
  set_state(pull, PUBSUB_PULL_WAITING);
  set_timer(pull, pubsub_backoff_next_us(&pull->backoff, &pull->rng));
}

static void rest(struct pubsub_pull *pull) {
  pubsub_loop_timer_cancel(loop_of(pull), &pull->timer);
  set_state(pull, PUBSUB_PULL_RESTING);
}

static void fail(struct pubsub_pull *pull) {
  pubsub_loop_timer_cancel(loop_of(pull), &pull->timer);
  set_state(pull, PUBSUB_PULL_FAILED);
}

/* ---- what arrives ---- */

static void on_headers(void *user) {
  struct pubsub_pull *pull = user;
  pull->ever_open = true;
}

static void ping_answered(struct pubsub_pull *pull) {
  pull->ping_credit = PING_CREDIT;
  pull->deaf = false;
}

static enum pubsub_status on_begin(void *user, size_t message_bytes) {
  struct pubsub_pull *pull = user;
  if (!pull->answered) {
    pull->answered = pull->ever_open = true;
    pubsub_grace_reset(&pull->grace);
    pull->unauthenticated = 0;
    pubsub_backoff_reset(&pull->backoff);
  }
  pull->error.status = PUBSUB_OK;
  if (pull->state == PUBSUB_PULL_OPENING) set_state(pull, PUBSUB_PULL_OPEN);
  pull->heard_us = pubsub_loop_now_us(loop_of(pull));
  pull->at_message_start = true;
  if (message_bytes == 0) ping_answered(pull);
  if (pull->ping_pending) { /* whatever came, the stream lives */
    pull->ping_pending = false;
    set_timer(pull, ping_every_us(pull));
  }
  pull->handler->on_bytes(pull->user, 5);
  pull->empty_response = message_bytes == 0;
  enum pubsub_status status = pubsub_pull_decoder_begin(pull->decoder, message_bytes, &pull->error);
  pull->decode_failed = status != PUBSUB_OK;
  return status;
}

static enum pubsub_status on_data(void *user, const uint8_t *data, size_t len) {
  struct pubsub_pull *pull = user;
  if (pull->at_message_start) {
    pull->at_message_start = false;
    if (data[0] != RECEIVED_MESSAGES)
      ping_answered(pull); /* only properties: no messages, so an answer */
  }
  if (pull->state == PUBSUB_PULL_FINISHING) pull->heard_us = pubsub_loop_now_us(loop_of(pull));
  enum pubsub_status status = pubsub_pull_decoder_feed(pull->decoder, data, len, &pull->error);
  pull->decode_failed = status != PUBSUB_OK;
  if (status == PUBSUB_OK) pull->handler->on_bytes(pull->user, len);
  return status;
}

static enum pubsub_status on_message_end(void *user) {
  struct pubsub_pull *pull = user;
  enum pubsub_status status = pubsub_pull_decoder_end(pull->decoder, &pull->error);
  pull->decode_failed = status != PUBSUB_OK;
  if (status == PUBSUB_OK && !pull->empty_response) pull->handler->on_response(pull->user);
  return status;
}

/* ---- how streams end ---- */

static void explain(struct pubsub_pull *pull, const struct pubsub_error *why) {
  if (why->status != PUBSUB_E_GRPC && pull->decode_failed) { /* the decoder has said why */
    pull->error.retryable = why->retryable;
    return;
  }
  struct pubsub_subject subject = {"subscription", pull->options.subscription, "to read",
                                   "pubsub.subscriptions.consume",
                                   pubsub_channel_is_plaintext(pull->channel)};
  pubsub_explain(&subject, why, &pull->error);
}

static bool is_permanent(struct pubsub_pull *pull, const struct pubsub_error *why) {
  if (why->retryable) return false;
  /* A bad certificate, a proxy's refusal: the channel has waited where that might help. */
  if (why->status == PUBSUB_E_TLS || why->status == PUBSUB_E_CONNECT) return true;
  if (why->status != PUBSUB_E_GRPC) return false;
  if (why->grpc_code == PUBSUB_GRPC_UNAUTHENTICATED) {
    return ++pull->unauthenticated > UNAUTHENTICATED_TRIES;
  }
  /* What was there may come back (a restarted emulator). */
  if (why->grpc_code != PUBSUB_GRPC_NOT_FOUND || !pull->ever_open) return true;
  return !pubsub_grace_allows(&pull->grace, pubsub_loop_now_us(loop_of(pull)));
}

static void on_closed(void *user, const struct pubsub_error *result, struct pubsub_view details) {
  struct pubsub_pull *pull = user;
  (void)details;
  pull->call = NULL;
  pubsub_loop_timer_cancel(loop_of(pull), &pull->timer);
  if (pull->state == PUBSUB_PULL_FINISHING) {
    rest(pull);
    return;
  }
  if (result->status == PUBSUB_OK && pull->answered &&
      pubsub_loop_now_us(loop_of(pull)) - pull->opened_us >= AT_ONCE_US) {
    open_stream(pull);
    return;
  }
  if (result->status != PUBSUB_OK) explain(pull, result);
  if (result->status != PUBSUB_OK && is_permanent(pull, result)) {
    fail(pull);
  } else {
    open_later(pull);
  }
}

static const struct pubsub_call_handler call_handler = {on_headers, on_begin, on_data,
                                                        on_message_end, on_closed};

/* ---- opening and pinging ---- */

static enum pubsub_status send_first(struct pubsub_pull *pull,
                                     const struct pubsub_pull_limits *limits) {
  const struct pubsub_pull_options *options = &pull->options;
  struct pubsub_buf request = {0};
  if (pubsub_buf_reserve(&request, options->subscription.len + 128) != PUBSUB_OK) {
    return PUBSUB_E_NOMEM;
  }
  uint8_t *out = request.ptr;
  out = pubsub_wire_write_bytes(out, SUBSCRIPTION, options->subscription.ptr,
                                options->subscription.len);
  out = pubsub_wire_write_number(out, DEADLINE, options->deadline_s);
  out = pubsub_wire_write_bytes(out, CLIENT_ID, pull->client_id, 36);
  out = pubsub_wire_write_number(out, MAX_MESSAGES, limits->messages);
  out = pubsub_wire_write_number(out, MAX_BYTES, limits->bytes);
  out = pubsub_wire_write_number(out, PROTOCOL_VERSION, 1);
  request.len = (size_t)(out - request.ptr);
  struct pubsub_segment segment = pubsub_segment_from_buf(&request);
  enum pubsub_status status = pubsub_call_send(pull->call, &segment, 1, false);
  if (status != PUBSUB_OK) pubsub_free(segment.owner);
  return status;
}

static void open_stream(struct pubsub_pull *pull) {
  struct pubsub_call_options options = {.method = "/google.pubsub.v1.Subscriber/StreamingPull",
                                        .routing_header = pull->options.routing_header,
                                        .manual_window = true,
                                        .fail_fast = true};
  struct pubsub_error error = {0};
  struct pubsub_pull_limits limits;
  if (!pull->handler->on_limits(pull->user, &limits)) {
    rest(pull);
    return;
  }
  pull->answered = pull->ping_pending = pull->decode_failed = false;
  if (pubsub_call_start(pull->channel, &options, &call_handler, pull, &pull->call, &error) !=
      PUBSUB_OK) {
    pull->call = NULL;
    pull->error = error;
    open_later(pull);
    return;
  }
  pubsub_call_set_window(pull->call, pull->options.window_bytes);
  if (send_first(pull, &limits) != PUBSUB_OK) {
    pubsub_call_cancel(pull->call);
    pull->call = NULL;
    open_later(pull);
    return;
  }
  pull->opens++;
  pull->opened_us = pull->heard_us = pubsub_loop_now_us(loop_of(pull));
  set_state(pull, PUBSUB_PULL_OPENING);
  set_timer(pull, smaller(FIRST_PING_US, ping_every_us(pull)));
}

static uint64_t patience_us(const struct pubsub_pull *pull) {
  uint64_t usual = ping_every_us(pull) / 2;
  bool known = pull->state == PUBSUB_PULL_OPEN || pull->ping_credit > 0;
  return known ? usual : smaller(FIRST_PATIENCE_US, usual);
}

static void ping(struct pubsub_pull *pull) {
  struct pubsub_segment empty = {0};
  bool sent = pubsub_call_send(pull->call, &empty, 1, false) == PUBSUB_OK;
  pull->ping_pending = sent;
  set_timer(pull, sent ? patience_us(pull) : ping_every_us(pull));
}

static void give_up_stream(struct pubsub_pull *pull, const char *reason) {
  pubsub_call_cancel(pull->call);
  pull->call = NULL;
  pubsub_error_set(&pull->error, PUBSUB_E_IO, "the stream went silent: %s", reason);
  open_later(pull);
}

/* The request waits for a connection, which has its own watch. */
static bool is_unsent(const struct pubsub_pull *pull) {
  return pull->state == PUBSUB_PULL_OPENING && pubsub_call_queued_bytes(pull->call) > 0;
}

static void watch_finishing(struct pubsub_pull *pull, uint64_t now) {
  uint64_t due = smaller(pull->heard_us + FINISH_QUIET_US, pull->finish_us);
  if (now < due) {
    set_timer(pull, due - now);
    return;
  }
  pubsub_call_cancel(pull->call);
  pull->call = NULL;
  rest(pull);
}

void pubsub_pull_finish(struct pubsub_pull *pull) {
  PUBSUB_ON_LOOP(loop_of(pull));
  uint64_t now = pubsub_loop_now_us(loop_of(pull));
  if (pull->state > PUBSUB_PULL_OPEN) return;
  if (pull->call && is_unsent(pull)) {
    pubsub_call_cancel(pull->call);
    pull->call = NULL;
  }
  if (!pull->call) {
    rest(pull);
    return;
  }
  pubsub_call_send(pull->call, NULL, 0, true); /* without memory it falls quiet at its limits */
  pull->heard_us = now;
  pull->finish_us = now + FINISH_MOST_US;
  set_state(pull, PUBSUB_PULL_FINISHING);
  set_timer(pull, FINISH_QUIET_US);
}

static void watch(struct pubsub_pull *pull) {
  uint64_t now = pubsub_loop_now_us(loop_of(pull)), every = ping_every_us(pull);
  if (pull->state == PUBSUB_PULL_FINISHING) {
    watch_finishing(pull, now);
  } else if (is_unsent(pull)) {
    set_timer(pull, smaller(FIRST_PING_US, every));
  } else if (pull->ping_pending && pull->ping_credit > 0) { /* a server that used to answer */
    pull->ping_credit--;
    give_up_stream(pull, "a ping was not answered");
  } else if (pull->ping_pending) {
    pull->ping_pending = false;
    pull->deaf = true;
    set_state(pull, PUBSUB_PULL_OPEN);
    set_timer(pull, every);
  } else if (!pull->deaf) {
    ping(pull);
  } else if (now - pull->heard_us >= SILENT_PINGS * every) {
    pull->deaf = false; /* who knows what is there now */
    give_up_stream(pull, "no response for too long");
  } else {
    set_state(pull, PUBSUB_PULL_OPEN);
    set_timer(pull, every);
  }
}

static void on_timer(struct pubsub_timer *timer) {
  struct pubsub_pull *pull = PUBSUB_CONTAINER_OF(timer, struct pubsub_pull, timer);
  if (pull->call) {
    watch(pull);
  } else {
    open_stream(pull);
  }
}

static void make_client_id(struct pubsub_pull *pull) {
  uint64_t a = pubsub_rng_next(&pull->rng), b = pubsub_rng_next(&pull->rng);
  snprintf(pull->client_id, sizeof pull->client_id, "%08x-%04x-4%03x-%04x-%012llx",
           (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
           (unsigned)(0x8000 | (b >> 48 & 0x3fff)), (unsigned long long)(b & 0xffffffffffff));
}

enum pubsub_status pubsub_pull_init(struct pubsub_pull *pull, struct pubsub_channel *channel,
                                    const struct pubsub_pull_options *options,
                                    const struct pubsub_pull_handler *handler, void *user) {
  *pull = (struct pubsub_pull){.channel = channel,
                               .options = *options,
                               .handler = handler,
                               .user = user,
                               .state = PUBSUB_PULL_WAITING,
                               .timer.run = on_timer};
  pubsub_rng_seed_random(&pull->rng);
  pubsub_backoff_init(&pull->backoff, FIRST_BACKOFF_US, MAX_BACKOFF_US);
  make_client_id(pull);
  return pubsub_pull_decoder_new(handler->sink, user, MAX_RESPONSE_BYTES, &pull->decoder);
}

void pubsub_pull_start(struct pubsub_pull *pull, uint32_t delay_ms) {
  PUBSUB_ON_LOOP(loop_of(pull));
  set_timer(pull, (uint64_t)delay_ms * 1000);
}

void pubsub_pull_consume(struct pubsub_pull *pull, size_t bytes) {
  PUBSUB_ON_LOOP(loop_of(pull));
  if (pull->call) pubsub_call_consume(pull->call, bytes);
}

void pubsub_pull_stop(struct pubsub_pull *pull) {
  PUBSUB_ON_LOOP(loop_of(pull));
  pubsub_loop_timer_cancel(loop_of(pull), &pull->timer);
  if (pull->call) pubsub_call_cancel(pull->call);
  pull->call = NULL;
  if (pull->state != PUBSUB_PULL_FAILED) pull->state = PUBSUB_PULL_STOPPED;
}

void pubsub_pull_clear(struct pubsub_pull *pull) {
  PUBSUB_ON_LOOP(loop_of(pull));
  if (!pull->decoder) return;
  pubsub_pull_stop(pull);
  pubsub_pull_decoder_destroy(pull->decoder);
  pull->decoder = NULL;
}
