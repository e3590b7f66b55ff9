#include "grpc/connections.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"

#define STREAMS_A_CONNECTION 100 /* what the service takes */
#define REDIAL_FIRST_US 100000
#define REDIAL_MAX_US 10000000
#define MAX_PING_MS 300000 /* what gRPC servers allow by default */

struct pubsub_connection {
  struct pubsub_list link; /* in connections.ready once ready */
  struct pubsub_connections *all;
  struct pubsub_h2_conn *h2;
  struct pubsub_timer timer; /* opening: for the peer's SETTINGS; ready, without calls: the end */
  bool ready;
  bool used; /* some call was opened on it */
};

static struct pubsub_connection *connection_of(const struct pubsub_list *link) {
  return PUBSUB_CONTAINER_OF(link, struct pubsub_connection, link);
}

static struct pubsub_call *call_of(const struct pubsub_list *link) {
  return PUBSUB_CONTAINER_OF(link, struct pubsub_call, link);
}

static struct pubsub_connection *least_loaded(struct pubsub_connections *self, size_t share) {
  struct pubsub_connection *best = NULL;
  struct pubsub_list *link;
  for (link = self->ready.next; link != &self->ready; link = link->next) {
    struct pubsub_connection *connection = connection_of(link);
    size_t load = pubsub_h2_conn_stream_count(connection->h2);
    if (load >= share || !pubsub_h2_conn_can_open(connection->h2)) continue;
    if (!best || load < pubsub_h2_conn_stream_count(best->h2)) best = connection;
  }
  return best;
}

static void finish_all(struct pubsub_list *calls, const struct pubsub_error *why) {
  while (!pubsub_list_empty(calls))
    pubsub_call_finish(call_of(calls->next), why);
}

/* ---- giving calls to connections ---- */

static void start_dial(struct pubsub_connections *self);

static void back_off(struct pubsub_connections *self) {
  pubsub_loop_timer_set(self->loop, &self->redial,
                        pubsub_loop_now_us(self->loop) +
                            pubsub_backoff_next_us(&self->backoff, &self->rng));
}

static bool is_backing_off(const struct pubsub_connections *self) {
  return pubsub_timer_is_set(&self->redial);
}

static size_t length(const struct pubsub_list *list) {
  size_t count = 0;
  for (const struct pubsub_list *link = list->next; link != list; link = link->next)
    count++;
  return count;
}

/* Calls a connection may have now. Where another connection is needed and to be had, the even share
 * of each: the rest of the calls waits for it. */
static size_t fair_share(const struct pubsub_connections *self) {
  size_t calls = length(&self->calls) + length(&self->waiting);
  size_t needed = (calls + STREAMS_A_CONNECTION - 1) / STREAMS_A_CONNECTION;
  if (needed <= length(&self->ready) || is_backing_off(self)) {
    return STREAMS_A_CONNECTION;
  }
  return (calls + needed - 1) / needed;
}

/* In order, until no connection has room. */
static void assign(struct pubsub_connections *self) {
  size_t share = fair_share(self);
  struct pubsub_connection *connection;
  while (!pubsub_list_empty(&self->waiting) && (connection = least_loaded(self, share)) != NULL) {
    struct pubsub_call *call = call_of(self->waiting.next);
    struct pubsub_error error = {0};
    pubsub_list_remove(&call->link);
    pubsub_list_push_back(&self->calls, &call->link);
    connection->used = true;
    pubsub_loop_timer_cancel(self->loop, &connection->timer);
    if (pubsub_call_open(call, connection->h2, &error) != PUBSUB_OK) {
      pubsub_call_finish(call, &error);
    }
  }
}

static void fail_waiting(struct pubsub_connections *self, const struct pubsub_error *why) {
  struct pubsub_list failed;
  pubsub_list_init(&failed);
  for (struct pubsub_list *link = self->waiting.next, *next; link != &self->waiting; link = next) {
    next = link->next;
    if (call_of(link)->fail_fast || !why->retryable) {
      pubsub_list_remove(link);
      pubsub_list_push_back(&failed, link);
    }
  }
  finish_all(&failed, why);
}

/* A fresh connection that can take no call (a limit of 0, an early GOAWAY): another one would not
 * do better at once. */
static bool has_useless(const struct pubsub_connections *self) {
  struct pubsub_list *link;
  for (link = self->ready.next; link != &self->ready; link = link->next) {
    if (!(connection_of(link))->used) return true;
  }
  return false;
}

static void on_dispatch(struct pubsub_deferred *deferred) {
  struct pubsub_connections *self =
      PUBSUB_CONTAINER_OF(deferred, struct pubsub_connections, dispatch);
  assign(self);
  if (pubsub_list_empty(&self->waiting)) return;
  if (is_backing_off(self)) {
    if (self->context->dial_error.status != PUBSUB_OK)
      fail_waiting(self, &self->context->dial_error);
  } else if (!self->dial && !self->opening && has_useless(self)) {
    back_off(self);
  } else {
    start_dial(self);
  }
}

static void dispatch_later(struct pubsub_connections *self) {
  if (!pubsub_list_empty(&self->waiting)) pubsub_loop_defer(self->loop, &self->dispatch);
}

static void dial_failed(struct pubsub_connections *self, const struct pubsub_error *why) {
  struct pubsub_error error = *why;
  if (!error.retryable && pubsub_grace_allows(&self->grace, pubsub_loop_now_us(self->loop))) {
    error.retryable = self->worked; /* it may be well again: a certificate that is renewed */
  }
  self->context->dial_error = error;
  back_off(self);
  assign(self); /* what waited for an even share takes what there is */
  fail_waiting(self, &error);
}

static void connection_free(struct pubsub_connection *connection) {
  struct pubsub_connections *self = connection->all;
  if (self->opening == connection) self->opening = NULL;
  pubsub_loop_timer_cancel(self->loop, &connection->timer);
  pubsub_list_remove(&connection->link);
  pubsub_free(connection);
}

/* A connection without calls is kept for a while; the last one longer. */
static void expect_idle(struct pubsub_connection *connection) {
  struct pubsub_connections *self = connection->all;
  if (pubsub_h2_conn_stream_count(connection->h2) > 0) return;
  bool last = connection->link.next == connection->link.prev;
  uint64_t idle_us = (uint64_t)self->target.idle_ms * 1000 / (last ? 1 : 4);
  pubsub_loop_timer_set(self->loop, &connection->timer, pubsub_loop_now_us(self->loop) + idle_us);
}

static void on_conn_ready(void *user, struct pubsub_h2_conn *h2) {
  struct pubsub_connection *connection = user;
  struct pubsub_connections *self = connection->all;
  (void)h2;
  if (!connection->ready) {
    connection->ready = true;
    self->opening = NULL;
    self->worked = true;
    pubsub_grace_reset(&self->grace);
    self->context->dial_error.status = PUBSUB_OK;
    pubsub_list_push_back(&self->ready, &connection->link);
    expect_idle(connection);
  }
  dispatch_later(self);
}

static void on_conn_room(void *user, struct pubsub_h2_conn *h2) {
  struct pubsub_connection *connection = user;
  (void)h2;
  expect_idle(connection);
  dispatch_later(connection->all);
}

static void on_conn_goaway(void *user, struct pubsub_h2_conn *h2, uint32_t h2_error) {
  struct pubsub_connections *self = ((struct pubsub_connection *)user)->all;
  (void)h2;
  if (h2_error == PUBSUB_H2_ENHANCE_YOUR_CALM && self->ping_ms < MAX_PING_MS) self->ping_ms *= 2;
}

static void on_conn_closed(void *user, struct pubsub_h2_conn *h2, const struct pubsub_error *why) {
  struct pubsub_connection *connection = user;
  struct pubsub_connections *self = connection->all;
  bool ready = connection->ready, used = connection->used;
  (void)h2;
  connection_free(connection);
  if (!ready) {
    struct pubsub_error failure = {0};
    pubsub_error_set(
        &failure, PUBSUB_E_CONNECT, "cannot connect to %s: %.200s", self->context->authority,
        why->status == PUBSUB_E_CLOSED ? "it takes connections, but says nothing" : why->text);
    dial_failed(self, &failure);
    return;
  }
  if (!used && !is_backing_off(self)) back_off(self);
  dispatch_later(self);
}

static const struct pubsub_h2_conn_handler conn_handler = {.on_ready = on_conn_ready,
                                                           .on_room = on_conn_room,
                                                           .on_goaway = on_conn_goaway,
                                                           .on_closed = on_conn_closed};

static void on_conn_timer(struct pubsub_timer *timer) {
  struct pubsub_connection *connection =
      PUBSUB_CONTAINER_OF(timer, struct pubsub_connection, timer);
  if (!connection->ready) {
    pubsub_h2_conn_abort(connection->h2);
  } else if (pubsub_h2_conn_stream_count(connection->h2) == 0) {
    connection->used = true; /* its end is no reason to back off */
    pubsub_h2_conn_close(connection->h2, PUBSUB_H2_NO_ERROR);
  }
}

static void on_dialled(void *user, struct pubsub_bytestream *take_stream,
                       const struct pubsub_error *error) {
  struct pubsub_connections *self = user;
  struct pubsub_error failure = {0};
  self->dial = NULL;
  if (!take_stream) {
    dial_failed(self, error);
    return;
  }
  struct pubsub_h2_options options = {.stream_window_bytes = self->target.stream_window_bytes,
                                      .max_header_list_bytes = 4u << 20,
                                      .ping_interval_ms = self->ping_ms,
                                      .ping_timeout_ms = self->target.keepalive_ms / 2};
  struct pubsub_connection *connection = pubsub_alloc_zero(1, sizeof *connection);
  if (!connection || pubsub_h2_conn_new(self->loop, take_stream, &options, &conn_handler,
                                        connection, &connection->h2, &failure) != PUBSUB_OK) {
    pubsub_free(connection);
    take_stream->ops->destroy(take_stream);
    pubsub_error_set(&failure, PUBSUB_E_NOMEM, "out of memory");
    failure.retryable = true;
    dial_failed(self, &failure);
    return;
  }
  connection->all = self;
  connection->timer.run = on_conn_timer;
  pubsub_list_init(&connection->link);
  self->opening = connection;
  pubsub_loop_timer_set(self->loop, &connection->timer,
                        pubsub_loop_now_us(self->loop) +
                            (uint64_t)self->target.connect_timeout_ms * 1000);
}

static void start_dial(struct pubsub_connections *self) {
  struct pubsub_error error = {0};
  if (self->dial || self->opening || is_backing_off(self)) return;
  struct pubsub_dial_options options = {.host = self->target.host,
                                        .port = self->target.port,
                                        .tls = self->target.tls,
                                        .proxy = self->target.proxy,
                                        .timeout_ms = self->target.connect_timeout_ms};
  if (pubsub_dial_start(self->loop, &options, on_dialled, self, &self->dial, &error) != PUBSUB_OK) {
    error.retryable = true;
    dial_failed(self, &error);
  }
}

static void on_redial(struct pubsub_timer *timer) {
  struct pubsub_connections *self = PUBSUB_CONTAINER_OF(timer, struct pubsub_connections, redial);
  assign(self);
  if (!pubsub_list_empty(&self->waiting)) start_dial(self);
}

/* ---- for channel.c ---- */

void pubsub_connections_init(struct pubsub_connections *self, struct pubsub_loop *loop,
                             const struct pubsub_target *target,
                             struct pubsub_call_context *context) {
  *self = (struct pubsub_connections){.loop = loop, .target = *target, .context = context};
  pubsub_list_init(&self->ready);
  pubsub_list_init(&self->waiting);
  pubsub_list_init(&self->calls);
  pubsub_list_init(&self->dispatch.link);
  self->dispatch.run = on_dispatch;
  self->redial.run = on_redial;
  self->ping_ms = target->keepalive_ms + target->keepalive_ms / 2;
  pubsub_backoff_init(&self->backoff, REDIAL_FIRST_US, REDIAL_MAX_US);
  pubsub_rng_seed_random(&self->rng);
}

void pubsub_connections_add(struct pubsub_connections *self, struct pubsub_call *call) {
  pubsub_list_push_back(&self->waiting, &call->link);
  pubsub_loop_defer(self->loop, &self->dispatch);
}

void pubsub_connections_answered(struct pubsub_connections *self) {
  pubsub_backoff_reset(&self->backoff);
}

static void cut(struct pubsub_connection *connection) {
  pubsub_h2_conn_destroy(connection->h2);
  connection_free(connection);
}

void pubsub_connections_clear(struct pubsub_connections *self, const struct pubsub_error *why) {
  while (!pubsub_list_empty(&self->calls) || !pubsub_list_empty(&self->waiting)) {
    finish_all(&self->calls, why);
    finish_all(&self->waiting, why);
  }
  if (self->opening) cut(self->opening);
  while (!pubsub_list_empty(&self->ready))
    cut(connection_of(self->ready.next));
  if (self->dial) pubsub_dial_cancel(self->dial);
  pubsub_loop_timer_cancel(self->loop, &self->redial);
  pubsub_loop_defer_cancel(self->loop, &self->dispatch);
}
