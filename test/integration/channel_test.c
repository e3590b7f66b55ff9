/* How a channel spreads calls over connections, and when these are closed. The server is the
 * emulator's transport, in this process. */
#include "support.h"

#include "grpc/channel.h"
#include "net/listener.h"
#include "rpc/connection.h"
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define MAX_CALLS 400
#define MAX_CONNECTIONS 16

/* Calls of /park stay open; calls of /echo are answered. */
static void park(struct call *call, struct pubsub_buf *take_request) {
  (void)take_request;
  call_start(call);
}

static void echo(struct call *call, struct pubsub_buf *take_request) {
  struct pubsub_buf response = {0};
  (void)take_request;
  call_reply_bytes(call, &response);
}

static void echo_end(struct call *call) {
  (void)call;
}

static const struct method methods[] = {
    {.path = "/park", .on_bytes = park, .on_half_close = echo_end},
    {.path = "/echo", .on_bytes = echo},
    {0}};
static const struct method *const tables[] = {methods, NULL};

struct fixture {
  struct pubsub_loop *server_loop, *loop; /* of the server, of the channel: threads of their own */
  struct pubsub_listener *listener;
  struct service service;
  struct site site;
  struct pubsub_list connections; /* server's thread */
  atomic_int accepted;
  struct pubsub_channel *channel;
  struct pubsub_channel_options options;
  struct pubsub_task task;
  size_t calls_asked;
  const char *method;
  struct pubsub_call *calls[MAX_CALLS];
  size_t call_count;
  atomic_int headers, closed;
  /* what `count_streams` saw */
  struct pubsub_task count_task;
  size_t spread[MAX_CONNECTIONS];
  atomic_int connection_count; /* -1: not counted yet */
};

static void on_accept(void *user, struct pubsub_bytestream *take_stream) {
  struct fixture *self = user;
  struct pubsub_h2_options options = {.server = true};
  atomic_fetch_add(&self->accepted, 1);
  if (!connection_new(self->server_loop, take_stream, &options, &self->service, &self->site,
                      &self->connections)) {
    take_stream->ops->destroy(take_stream);
  }
}

static void set_up(struct fixture *self, uint32_t idle_ms) {
  *self = (struct fixture){.service = {.tables = tables}};
  site_init(&self->site);
  pubsub_list_init(&self->connections);
  assert_int_equal(pubsub_loop_new(&self->server_loop, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_listener_new(self->server_loop, "127.0.0.1", 0, NULL, on_accept, self,
                                       &self->listener, NULL),
                   PUBSUB_OK);
  assert_int_equal(pubsub_loop_start_thread(self->server_loop, "server", NULL), PUBSUB_OK);
  self->options = (struct pubsub_channel_options){
      .host = "127.0.0.1", .port = pubsub_listener_port(self->listener), .idle_ms = idle_ms};
  assert_int_equal(pubsub_loop_new(&self->loop, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_channel_new(self->loop, &self->options, &self->channel, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_loop_start_thread(self->loop, "client", NULL), PUBSUB_OK);
}

static void tear_down(struct fixture *self) {
  pubsub_loop_join(self->loop);
  pubsub_channel_destroy(self->channel);
  pubsub_loop_destroy(self->loop);
  pubsub_loop_join(self->server_loop);
  pubsub_listener_destroy(self->listener);
  while (!pubsub_list_empty(&self->connections)) {
    connection_destroy((struct connection *)self->connections.next);
  }
  pubsub_loop_destroy(self->server_loop);
}

/* ---- calls ---- */

static void on_headers(void *user) {
  atomic_fetch_add(&((struct fixture *)user)->headers, 1);
}
static enum pubsub_status on_begin(void *user, size_t bytes) {
  (void)user;
  (void)bytes;
  return PUBSUB_OK;
}
static enum pubsub_status on_data(void *user, const uint8_t *data, size_t len) {
  (void)user;
  (void)data;
  (void)len;
  return PUBSUB_OK;
}
static enum pubsub_status on_end(void *user) {
  (void)user;
  return PUBSUB_OK;
}
static void on_closed(void *user, const struct pubsub_error *result, struct pubsub_view details) {
  (void)result;
  (void)details;
  atomic_fetch_add(&((struct fixture *)user)->closed, 1);
}
static const struct pubsub_call_handler handler = {on_headers, on_begin, on_data, on_end,
                                                   on_closed};

static void start_calls(struct pubsub_task *task) {
  struct fixture *self = (struct fixture *)((char *)task - offsetof(struct fixture, task));
  struct pubsub_call_options options = {.method = self->method};
  bool end = strcmp(self->method, "/echo") == 0;
  for (size_t i = 0; i < self->calls_asked; i++) {
    struct pubsub_call **call = &self->calls[self->call_count++];
    struct pubsub_segment empty = {0};
    assert_int_equal(pubsub_call_start(self->channel, &options, &handler, self, call, NULL),
                     PUBSUB_OK);
    assert_int_equal(pubsub_call_send(*call, &empty, 1, end), PUBSUB_OK);
  }
}

static void cancel_calls(struct pubsub_task *task) {
  struct fixture *self = (struct fixture *)((char *)task - offsetof(struct fixture, task));
  for (size_t i = 0; i < self->call_count; i++)
    pubsub_call_cancel(self->calls[i]);
  self->call_count = 0;
}

static bool await(atomic_int *number, int wanted) {
  for (int i = 0; i < 3000 && atomic_load(number) != wanted; i++)
    usleep(10000);
  return atomic_load(number) == wanted;
}

static void call(struct fixture *self, const char *method, size_t count) {
  self->method = method;
  self->calls_asked = count;
  self->task.run = start_calls;
  pubsub_loop_post(self->loop, &self->task);
}

/* ---- what the server sees ---- */

static void count_streams(struct pubsub_task *task) {
  struct fixture *self = (struct fixture *)((char *)task - offsetof(struct fixture, count_task));
  int count = 0;
  for (struct pubsub_list *link = self->connections.next; link != &self->connections;
       link = link->next) {
    self->spread[count++] = pubsub_h2_conn_stream_count(((struct connection *)link)->h2);
  }
  atomic_store(&self->connection_count, count);
}

static int connections(struct fixture *self) {
  atomic_store(&self->connection_count, -1);
  self->count_task.run = count_streams;
  pubsub_loop_post(self->server_loop, &self->count_task);
  while (atomic_load(&self->connection_count) < 0)
    usleep(1000);
  return atomic_load(&self->connection_count);
}

static void expect_spread(size_t calls, int wanted) {
  struct fixture self;
  size_t least = MAX_CALLS, most = 0;
  set_up(&self, 0);
  call(&self, "/park", calls);
  assert_true(await(&self.headers, (int)calls));
  assert_int_equal(connections(&self), wanted);
  for (int i = 0; i < wanted; i++) {
    if (self.spread[i] < least) least = self.spread[i];
    if (self.spread[i] > most) most = self.spread[i];
  }
  assert_true(most <= 100);
  assert_true(most - least <= 2); /* the share is rounded up */
  tear_down(&self);
}

static void calls_are_spread_evenly(void **state) {
  (void)state;
  expect_spread(100, 1);
  expect_spread(101, 2);
  expect_spread(150, 2);
  expect_spread(200, 2);
  expect_spread(250, 3);
}

static void connections_without_calls_are_closed(void **state) {
  struct fixture self;
  (void)state;
  set_up(&self, 400);
  call(&self, "/park", 250);
  assert_true(await(&self.headers, 250));
  assert_int_equal(connections(&self), 3);
  self.task.run = cancel_calls;
  pubsub_loop_post(self.loop, &self.task);
  for (int i = 0; i < 3000 && connections(&self) > 0; i++)
    usleep(10000);
  assert_int_equal(connections(&self), 0);
  /* And another one is opened when there is need. */
  self.call_count = 0;
  call(&self, "/echo", 1);
  assert_true(await(&self.closed, 1));
  assert_int_equal(atomic_load(&self.accepted), 4);
  tear_down(&self);
}

static void a_connection_with_calls_stays(void **state) {
  struct fixture self;
  (void)state;
  set_up(&self, 100);
  call(&self, "/park", 1);
  assert_true(await(&self.headers, 1));
  usleep(500000);
  assert_int_equal(connections(&self), 1);
  assert_int_equal(atomic_load(&self.closed), 0);
  tear_down(&self);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(calls_are_spread_evenly, no_leaks),
      cmocka_unit_test_teardown(connections_without_calls_are_closed, no_leaks),
      cmocka_unit_test_teardown(a_connection_with_calls_stays, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
