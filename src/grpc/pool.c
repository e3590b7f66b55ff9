#include "grpc/pool.h"

#include "base/alloc.h"
#include "base/error.h"

#define STREAMS_A_CONNECTION 100 /* what the service takes */
#define REDIAL_FIRST_US 100000
#define REDIAL_MAX_US 10000000
/* An endpoint that has worked and now has a bad certificate, or whose proxy refuses, may be well again (a rotation). */
#define GRACE_US 30000000
#define GRACE_GAP_US 60000000 /* failures that are further apart are not the same trouble */
#define MAX_PING_MS 300000    /* what gRPC servers allow by default */

#define CHANNEL_OF(ptr, member)                                                                    \
  ((struct pubsub_channel *)((char *)(ptr)-offsetof(struct pubsub_channel, member)))
#define CALL_OF_LINK(ptr) ((struct pubsub_call *)((char *)(ptr)-offsetof(struct pubsub_call, link)))

static struct pubsub_connection *least_loaded(struct pubsub_channel *channel, size_t share) {
  struct pubsub_connection *best = NULL;
  struct pubsub_list *link;
  for (link = channel->connections.next; link != &channel->connections; link = link->next) {
    struct pubsub_connection *connection = (struct pubsub_connection *)link;
    size_t load = pubsub_h2_conn_stream_count(connection->h2);
    if (load >= share || !pubsub_h2_conn_can_open(connection->h2)) continue;
    if (!best || load < pubsub_h2_conn_stream_count(best->h2)) best = connection;
  }
  return best;
}

void pubsub_pool_finish(struct pubsub_list *calls, const struct pubsub_error *why) {
  while (!pubsub_list_empty(calls))
    pubsub_call_finish(CALL_OF_LINK(calls->next), why);
}

/* ---- giving calls to connections ---- */

static void start_dial(struct pubsub_channel *channel);

static void back_off(struct pubsub_channel *channel) {
  pubsub_loop_timer_set(channel->loop, &channel->redial,
                        pubsub_loop_now_us(channel->loop) +
                            pubsub_backoff_next_us(&channel->backoff, &channel->rng));
}

static bool is_backing_off(const struct pubsub_channel *channel) {
  return pubsub_timer_is_set(&channel->redial);
}

static size_t length(const struct pubsub_list *list) {
  size_t count = 0;
  for (const struct pubsub_list *link = list->next; link != list; link = link->next)
    count++;
  return count;
}

/* Calls a connection may have now. Where another connection is needed and to be had, the even share of each: the rest of the calls
 * waits for it. */
static size_t fair_share(const struct pubsub_channel *channel) {
  size_t calls = length(&channel->calls) + length(&channel->waiting);
  size_t needed = (calls + STREAMS_A_CONNECTION - 1) / STREAMS_A_CONNECTION;
  if (needed <= length(&channel->connections) || is_backing_off(channel)) {
    return STREAMS_A_CONNECTION;
  }
  return (calls + needed - 1) / needed;
}

/* In order, until no connection has room. */
static void assign(struct pubsub_channel *channel) {
  size_t share = fair_share(channel);
  struct pubsub_connection *connection;
  while (!pubsub_list_empty(&channel->waiting) &&
         (connection = least_loaded(channel, share)) != NULL) {
    struct pubsub_call *call = CALL_OF_LINK(channel->waiting.next);
    struct pubsub_error error = {0};
    pubsub_list_remove(&call->link);
    pubsub_list_push_back(&channel->calls, &call->link);
    connection->used = true;
    pubsub_loop_timer_cancel(channel->loop, &connection->timer);
    if (pubsub_call_open(call, connection->h2, &error) != PUBSUB_OK) {
      pubsub_call_finish(call, &error);
    }
  }
}

static void fail_waiting(struct pubsub_channel *channel, const struct pubsub_error *why) {
  struct pubsub_list failed;
  pubsub_list_init(&failed);
  for (struct pubsub_list *link = channel->waiting.next, *next; link != &channel->waiting;
       link = next) {
    next = link->next;
    if (CALL_OF_LINK(link)->fail_fast || !why->retryable) {
      pubsub_list_remove(link);
      pubsub_list_push_back(&failed, link);
    }
  }
  pubsub_pool_finish(&failed, why);
}

/* A fresh connection that can take no call (a limit of 0, an early GOAWAY): another one would not do better at once. */
static bool has_useless(const struct pubsub_channel *channel) {
  struct pubsub_list *link;
  for (link = channel->connections.next; link != &channel->connections; link = link->next) {
    if (!((struct pubsub_connection *)link)->used) return true;
  }
  return false;
}

static void on_dispatch(struct pubsub_deferred *deferred) {
  struct pubsub_channel *channel = CHANNEL_OF(deferred, dispatch);
  assign(channel);
  if (pubsub_list_empty(&channel->waiting)) return;
  if (is_backing_off(channel)) {
    if (channel->dial_error.status != PUBSUB_OK) fail_waiting(channel, &channel->dial_error);
  } else if (!channel->dial && !channel->opening && has_useless(channel)) {
    back_off(channel);
  } else {
    start_dial(channel);
  }
}

static void dispatch_later(struct pubsub_channel *channel) {
  if (!pubsub_list_empty(&channel->waiting)) pubsub_loop_defer(channel->loop, &channel->dispatch);
}

/* ---- connections ---- */

static bool has_grace(struct pubsub_channel *channel) {
  uint64_t now = pubsub_loop_now_us(channel->loop);
  if (channel->trouble_since_us == 0 || now - channel->trouble_last_us > GRACE_GAP_US) {
    channel->trouble_since_us = now;
  }
  channel->trouble_last_us = now;
  return channel->worked && now - channel->trouble_since_us < GRACE_US;
}

static void dial_failed(struct pubsub_channel *channel, const struct pubsub_error *why) {
  struct pubsub_error error = *why;
  if (!error.retryable && has_grace(channel)) error.retryable = true;
  channel->dial_error = error;
  back_off(channel);
  assign(channel); /* what waited for an even share takes what there is */
  fail_waiting(channel, &error);
}

static void connection_free(struct pubsub_connection *connection) {
  struct pubsub_channel *channel = connection->channel;
  if (channel->opening == connection) channel->opening = NULL;
  pubsub_loop_timer_cancel(channel->loop, &connection->timer);
  pubsub_list_remove(&connection->link);
  pubsub_free(connection);
}

/* A connection without calls is kept for a while; the last one longer. */
static void expect_idle(struct pubsub_connection *connection) {
  struct pubsub_channel *channel = connection->channel;
  if (pubsub_h2_conn_stream_count(connection->h2) > 0) return;
  bool last = connection->link.next == connection->link.prev;
  uint64_t idle_us = (uint64_t)channel->options.idle_ms * 1000 / (last ? 1 : 4);
  pubsub_loop_timer_set(channel->loop, &connection->timer,
                        pubsub_loop_now_us(channel->loop) + idle_us);
}

static void on_conn_ready(void *user, struct pubsub_h2_conn *h2) {
  struct pubsub_connection *connection = user;
  struct pubsub_channel *channel = connection->channel;
  (void)h2;
  if (!connection->ready) {
    connection->ready = true;
    channel->opening = NULL;
    channel->worked = true;
    channel->trouble_since_us = 0;
    channel->dial_error.status = PUBSUB_OK;
    pubsub_list_push_back(&channel->connections, &connection->link);
    expect_idle(connection);
  }
  dispatch_later(channel);
}

static void on_conn_room(void *user, struct pubsub_h2_conn *h2) {
  struct pubsub_connection *connection = user;
  (void)h2;
  expect_idle(connection);
  dispatch_later(connection->channel);
}

static void on_conn_goaway(void *user, struct pubsub_h2_conn *h2, uint32_t h2_error) {
  struct pubsub_channel *channel = ((struct pubsub_connection *)user)->channel;
  (void)h2;
  if (h2_error == PUBSUB_H2_ENHANCE_YOUR_CALM && channel->ping_ms < MAX_PING_MS)
    channel->ping_ms *= 2;
}

static void on_conn_closed(void *user, struct pubsub_h2_conn *h2, const struct pubsub_error *why) {
  struct pubsub_connection *connection = user;
  struct pubsub_channel *channel = connection->channel;
  bool ready = connection->ready, used = connection->used;
  (void)h2;
  connection_free(connection);
  if (!ready) {
    struct pubsub_error failure = {0};
    pubsub_error_set(&failure, PUBSUB_E_CONNECT, "cannot connect to %s: %.200s", channel->authority,
                     why->status == PUBSUB_E_CLOSED ? "it takes connections, but says nothing"
                                                    : why->text);
    dial_failed(channel, &failure);
    return;
  }
  if (!used && !is_backing_off(channel)) back_off(channel);
  dispatch_later(channel);
}

static const struct pubsub_h2_conn_handler conn_handler = {.on_ready = on_conn_ready,
                                                           .on_room = on_conn_room,
                                                           .on_goaway = on_conn_goaway,
                                                           .on_closed = on_conn_closed};

static void on_conn_timer(struct pubsub_timer *timer) {
  struct pubsub_connection *connection =
      (struct pubsub_connection *)((char *)timer - offsetof(struct pubsub_connection, timer));
  if (!connection->ready) {
    pubsub_h2_conn_abort(connection->h2);
  } else if (pubsub_h2_conn_stream_count(connection->h2) == 0) {
    connection->used = true; /* its end is no reason to back off */
    pubsub_h2_conn_close(connection->h2, PUBSUB_H2_NO_ERROR);
  }
}

static void on_dialled(void *user, struct pubsub_bytestream *take_stream,
                       const struct pubsub_error *error) {
  struct pubsub_channel *channel = user;
  struct pubsub_error failure = {0};
  channel->dial = NULL;
  if (!take_stream) {
    dial_failed(channel, error);
    return;
  }
  struct pubsub_h2_options options = {.stream_window_bytes = channel->options.stream_window_bytes,
                                      .max_header_list_bytes = 4u << 20,
                                      .ping_interval_ms = channel->ping_ms,
                                      .ping_timeout_ms = channel->options.keepalive_ms / 2};
  struct pubsub_connection *connection = pubsub_alloc_zero(1, sizeof *connection);
  if (!connection || pubsub_h2_conn_new(channel->loop, take_stream, &options, &conn_handler,
                                        connection, &connection->h2, &failure) != PUBSUB_OK) {
    pubsub_free(connection);
    take_stream->ops->destroy(take_stream);
    pubsub_error_set(&failure, PUBSUB_E_NOMEM, "out of memory");
    failure.retryable = true;
    dial_failed(channel, &failure);
    return;
  }
  connection->channel = channel;
  connection->timer.run = on_conn_timer;
  pubsub_list_init(&connection->link);
  channel->opening = connection;
  pubsub_loop_timer_set(channel->loop, &connection->timer,
                        pubsub_loop_now_us(channel->loop) +
                            (uint64_t)channel->options.connect_timeout_ms * 1000);
}

static void start_dial(struct pubsub_channel *channel) {
  struct pubsub_error error = {0};
  if (channel->dial || channel->opening || is_backing_off(channel)) return;
  struct pubsub_dial_options options = {.host = channel->options.host,
                                        .port = channel->options.port,
                                        .tls = channel->options.tls,
                                        .proxy = channel->proxy.host[0] ? &channel->proxy : NULL,
                                        .timeout_ms = channel->options.connect_timeout_ms};
  if (pubsub_dial_start(channel->loop, &options, on_dialled, channel, &channel->dial, &error) !=
      PUBSUB_OK) {
    error.retryable = true;
    dial_failed(channel, &error);
  }
}

static void on_redial(struct pubsub_timer *timer) {
  struct pubsub_channel *channel = CHANNEL_OF(timer, redial);
  assign(channel);
  if (!pubsub_list_empty(&channel->waiting)) start_dial(channel);
}

/* ---- for channel.c ---- */

void pubsub_pool_init(struct pubsub_channel *channel) {
  pubsub_list_init(&channel->connections);
  pubsub_list_init(&channel->waiting);
  pubsub_list_init(&channel->calls);
  pubsub_list_init(&channel->dispatch.link);
  channel->dispatch.run = on_dispatch;
  channel->redial.run = on_redial;
  channel->ping_ms = channel->options.keepalive_ms + channel->options.keepalive_ms / 2;
  pubsub_backoff_init(&channel->backoff, REDIAL_FIRST_US, REDIAL_MAX_US);
  pubsub_rng_seed_random(&channel->rng);
}

void pubsub_pool_dispatch(struct pubsub_channel *channel) {
  pubsub_loop_defer(channel->loop, &channel->dispatch);
}

void pubsub_pool_clear(struct pubsub_channel *channel) {
  if (channel->opening) {
    pubsub_h2_conn_destroy(channel->opening->h2);
    connection_free(channel->opening);
  }
  while (!pubsub_list_empty(&channel->connections)) {
    struct pubsub_connection *connection = (struct pubsub_connection *)channel->connections.next;
    pubsub_h2_conn_destroy(connection->h2);
    connection_free(connection);
  }
  if (channel->dial) pubsub_dial_cancel(channel->dial);
  pubsub_loop_timer_cancel(channel->loop, &channel->redial);
  pubsub_loop_defer_cancel(channel->loop, &channel->dispatch);
}
