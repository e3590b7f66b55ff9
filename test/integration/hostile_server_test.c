/* What the client makes of a server that breaks the rules: the stream fails, is opened again, and
 * the process lives. The server is the emulator's transport with answers written here. */
#include "support.h"

#include "base/bytes.h"
#include "h2/conn.h"
#include "net/listener.h"
#include "rpc/connection.h"
#include <pubsub/subscriber.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TRIES 6

static atomic_int opened;

/* A ReceivedMessage with ack id "a", message id "1", data "d", as a response. */
static const char good[] = "\x0a\x0d\x0a\x01"
                           "a"
                           "\x12\x08\x0a\x01"
                           "d"
                           "\x1a\x01"
                           "1"
                           "\x22\x00";

static void on_message(struct call *call, struct pubsub_buf *take_request) {
  static const struct {
    const char *bytes;
    size_t len;
  } bad[] = {{"\x0a\x09"
              "x",
              3},                                              /* cut off */
             {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10}, /* an endless number */
             {"\x0a\xff\xff\xff\xff\x07", 6},                  /* claims two gigabytes */
             {"\x0b\x0c", 2}};                                 /* a group */
  (void)take_request;
  if (call->state) return; /* later requests of a stream */
  call->state = call;
  int turn = atomic_fetch_add(&opened, 1);
  if (turn < 4) {
    struct pubsub_segment segment = {(const uint8_t *)bad[turn].bytes, bad[turn].len, NULL, NULL};
    call_send(call, &segment, 1);
  } else if (turn == 4) {
    call_disturb(call, DISTURB_RESET);
  } else if (turn == 5) {
    call_fail(call, PUBSUB_GRPC_UNAVAILABLE, "not now");
  } else {
    struct pubsub_segment segment = {(const uint8_t *)good, sizeof good - 1, NULL, NULL};
    call_send(call, &segment, 1);
  }
}

static void on_half_close(struct call *call) {
  call_finish(call);
}

static const struct method methods[] = {{.path = "/google.pubsub.v1.Subscriber/StreamingPull",
                                         .on_bytes = on_message,
                                         .on_half_close = on_half_close},
                                        {0}};
static const struct method *const tables[] = {methods, NULL};

struct server {
  struct pubsub_loop *loop;
  struct pubsub_listener *listener;
  struct service service;
  struct site site;
  struct pubsub_list connections;
};

static void on_accept(void *user, struct pubsub_bytestream *take_stream) {
  struct server *server = user;
  struct pubsub_h2_options options = {.server = true};
  struct connection *connection = connection_new(
      server->loop, take_stream, &options, &server->service, &server->site, &server->connections);
  if (!connection) take_stream->ops->destroy(take_stream);
}

static void malformed_responses(void **state) {
  struct server server = {.service = {.tables = tables}};
  site_init(&server.site);
  struct pubsub_client *client;
  struct pubsub_subscriber *subscriber;
  struct pubsub_subscriber_metrics metrics = {0};
  char endpoint[32];
  (void)state;
  pubsub_list_init(&server.connections);
  assert_int_equal(pubsub_loop_new(&server.loop, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_listener_new(server.loop, "127.0.0.1", 0, NULL, on_accept, &server,
                                       &server.listener, NULL),
                   PUBSUB_OK);
  snprintf(endpoint, sizeof endpoint, "127.0.0.1:%u", pubsub_listener_port(server.listener));
  assert_int_equal(pubsub_loop_start_thread(server.loop, "server", NULL), PUBSUB_OK);

  struct pubsub_client_options options = {.endpoint = endpoint, .plaintext = true};
  assert_int_equal(pubsub_client_new(&options, &client, NULL), PUBSUB_OK);
  struct pubsub_subscriber_options subscriber_options = {
      .subscription = "projects/p/subscriptions/s", .columns = PUBSUB_COLUMN_ALL};
  assert_int_equal(pubsub_subscriber_new(client, &subscriber_options, &subscriber, NULL),
                   PUBSUB_OK);
  pubsub_subscriber_open_slot(subscriber, 0, 1, 0, NULL);
  uint64_t generation = 0;
  bool told = false;
  for (int i = 0; i < 600 && metrics.received_rows == 0; i++) {
    struct pubsub_error error;
    pubsub_subscriber_wait(subscriber, &generation, 50);
    pubsub_subscriber_slot_error(subscriber, 0, 1, &error);
    told = told || (error.status == PUBSUB_E_PROTOCOL && strstr(error.text, "malformed"));
    pubsub_subscriber_metrics(subscriber, &metrics);
  }
  assert_int_equal(metrics.received_rows, 1);
  assert_int_equal(atomic_load(&opened), TRIES + 1);
  assert_true(told);
  pubsub_subscriber_destroy(subscriber);
  pubsub_client_destroy(client);

  pubsub_loop_join(server.loop);
  pubsub_listener_destroy(server.listener);
  while (!pubsub_list_empty(&server.connections)) {
    connection_destroy((struct connection *)server.connections.next);
  }
  pubsub_loop_destroy(server.loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(malformed_responses, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
