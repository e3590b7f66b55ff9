/* A server's connection and a peer that writes its frames by hand, over TCP: what is cut in the
 * middle of a segment, and what a peer that reads nothing can make us queue. */
#include "support.h"

#include "base/alloc.h"
#include "h2/conn.h"
#include "net/listener.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADERS = 1, SETTINGS = 4, PING = 6, END_STREAM = 1, END_HEADERS = 4 };

struct server {
  struct pubsub_loop *loop;
  struct pubsub_listener *listener;
  struct pubsub_h2_options options;
  size_t body_bytes; /* of every answer; 0: requests are not answered */
  struct pubsub_h2_conn *conn;
  struct pubsub_task abort;
  atomic_uint streams_closed, released;
  sem_t accepted, requested, closed;
  char why[PUBSUB_ERROR_TEXT_BYTES];
};

static struct server *running; /* what on_release has no other way to reach */

static void on_release(void *owner) {
  pubsub_free(owner);
  atomic_fetch_add(&running->released, 1);
}

static void on_data(void *user, struct pubsub_h2_stream *stream, const uint8_t *data, size_t len) {
  (void)user;
  (void)data;
  pubsub_h2_stream_consume(stream, len);
}

static void on_end(void *user, struct pubsub_h2_stream *stream) {
  (void)user;
  (void)stream;
}

static void on_stream_closed(void *user, struct pubsub_h2_stream *stream, uint32_t h2_error,
                             const struct pubsub_error *why) {
  struct server *server = user;
  (void)stream;
  (void)h2_error;
  (void)why;
  atomic_fetch_add(&server->streams_closed, 1);
}

static const struct pubsub_h2_stream_handler stream_handler = {
    .on_data = on_data, .on_end = on_end, .on_closed = on_stream_closed};

static void on_request(void *user, struct pubsub_h2_conn *conn, struct pubsub_h2_stream *stream,
                       const struct pubsub_h2_header *headers, size_t count) {
  struct server *server = user;
  const struct pubsub_h2_header ok = {pubsub_view_str(":status"), pubsub_view_str("200"), false};
  (void)conn;
  (void)headers;
  (void)count;
  pubsub_h2_stream_bind(stream, &stream_handler, server);
  if (server->body_bytes > 0) {
    uint8_t *body = pubsub_alloc_zero(1, server->body_bytes);
    struct pubsub_segment segment = {body, server->body_bytes, on_release, body};
    pubsub_h2_stream_respond(stream, &ok, 1, false);
    pubsub_h2_stream_send(stream, &segment, 1, true);
  }
  sem_post(&server->requested);
}

static void on_closed(void *user, struct pubsub_h2_conn *conn, const struct pubsub_error *why) {
  struct server *server = user;
  (void)conn;
  server->conn = NULL;
  snprintf(server->why, sizeof server->why, "%s", why->text);
  sem_post(&server->closed);
}

static const struct pubsub_h2_conn_handler conn_handler = {.on_request = on_request,
                                                           .on_closed = on_closed};

static void on_accept(void *user, struct pubsub_bytestream *take_stream) {
  struct server *server = user;
  assert_int_equal(pubsub_h2_conn_new(server->loop, take_stream, &server->options, &conn_handler,
                                      server, &server->conn, NULL),
                   PUBSUB_OK);
  sem_post(&server->accepted);
}

static void on_abort(struct pubsub_task *task) {
  struct server *server = (struct server *)((char *)task - offsetof(struct server, abort));
  if (server->conn) pubsub_h2_conn_abort(server->conn);
}

static void server_start(struct server *server) {
  running = server;
  server->options.server = true;
  server->abort.run = on_abort;
  sem_init(&server->accepted, 0, 0);
  sem_init(&server->requested, 0, 0);
  sem_init(&server->closed, 0, 0);
  assert_int_equal(pubsub_loop_new(&server->loop, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_listener_new(server->loop, "127.0.0.1", 0, NULL, on_accept, server,
                                       &server->listener, NULL),
                   PUBSUB_OK);
  assert_int_equal(pubsub_loop_start_thread(server->loop, "server", NULL), PUBSUB_OK);
}

static void server_stop(struct server *server) {
  pubsub_loop_join(server->loop);
  pubsub_h2_conn_destroy(server->conn);
  pubsub_listener_destroy(server->listener);
  pubsub_loop_destroy(server->loop);
  sem_destroy(&server->accepted);
  sem_destroy(&server->requested);
  sem_destroy(&server->closed);
}

/* ---- the peer ---- */

static int peer_connect(const struct server *server) {
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons(pubsub_listener_port(server->listener)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval patience = {5, 0};
  int small = 4096, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
  return fd;
}

static size_t frame(uint8_t *out, int type, int flags, uint32_t id, const void *payload,
                    size_t len) {
  const uint8_t head[9] = {0,
                           (uint8_t)(len >> 8),
                           (uint8_t)len,
                           (uint8_t)type,
                           (uint8_t)flags,
                           (uint8_t)(id >> 24),
                           (uint8_t)(id >> 16),
                           (uint8_t)(id >> 8),
                           (uint8_t)id};
  memcpy(out, head, sizeof head);
  memcpy(out + sizeof head, payload, len);
  return sizeof head + len;
}

static bool put(int fd, const uint8_t *bytes, size_t len) {
  for (size_t at = 0; at < len;) {
    ssize_t done = send(fd, bytes + at, len - at, MSG_NOSIGNAL);
    if (done <= 0) return false;
    at += (size_t)done;
  }
  return true;
}

static void greet(int fd) {
  uint8_t bytes[64];
  memcpy(bytes, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
  assert_true(put(fd, bytes, 24 + frame(bytes + 24, SETTINGS, 0, 0, "", 0)));
}

/* :method POST, :scheme http, :path /, :authority x */
static const uint8_t request[] = {0x83, 0x86, 0x84, 0x41, 1, 'x'};

/* ---- tests ---- */

/* The stream's window takes 64 KiB of the answer's one segment: the rest of it is not under way,
 * and the end comes. */
static void a_stream_that_is_half_sent_is_cut(void **state) {
  struct server server = {.body_bytes = 1 << 20};
  uint8_t bytes[64];
  (void)state;
  server_start(&server);
  int fd = peer_connect(&server);
  greet(fd);
  for (uint32_t id = 1; id <= 3; id += 2) {
    assert_true(put(fd, bytes,
                    frame(bytes, HEADERS, END_HEADERS | END_STREAM, id, request, sizeof request)));
    sem_wait(&server.requested);
  }
  usleep(50000);
  pubsub_loop_post(server.loop, &server.abort);
  sem_wait(&server.closed);
  assert_int_equal(atomic_load(&server.streams_closed), 2);
  close(fd);
  server_stop(&server);
  assert_int_equal(atomic_load(&server.released), 2);
}

/* Sends frames until the server has had enough; fails where it queues answers without a bound
 * instead. */
static void flood(struct server *server, int type, int flags, const void *payload, size_t len,
                  size_t max_frames) {
  static uint8_t bytes[64 * 1024];
  bool taken = true;
  uint64_t most = 0;
  int fd = peer_connect(server);
  greet(fd);
  sem_wait(&server->accepted);
  uint32_t id = 1;
  for (size_t sent = 0; taken && sent < max_frames;) {
    size_t used = 0;
    while (used + 64 < sizeof bytes) {
      used += frame(bytes + used, type, flags, type == HEADERS ? id : 0, payload, len);
      id += 2;
      sent++;
    }
    taken = put(fd, bytes, used);
    uint64_t live = pubsub_alloc_live();
    if (live > most) most = live;
  }
  assert_false(taken);
  assert_in_range(most, 0, 100000);
  sem_wait(&server->closed);
  close(fd);
}

static void a_flood_of_refused_streams_is_bounded(void **state) {
  struct server server = {.options.max_concurrent_streams = 4};
  (void)state;
  server_start(&server);
  flood(&server, HEADERS, END_HEADERS, request, sizeof request, 4000000);
  assert_non_null(strstr(server.why, "does not read"));
  server_stop(&server);
}

static void a_flood_of_pings_is_bounded(void **state) {
  struct server server = {0};
  (void)state;
  server_start(&server);
  flood(&server, PING, 0, "12345678", 8, 4000000);
  server_stop(&server);
}

static void a_flood_of_settings_is_bounded(void **state) {
  struct server server = {0};
  (void)state;
  server_start(&server);
  flood(&server, SETTINGS, 0, "", 0, 4000000);
  server_stop(&server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_stream_that_is_half_sent_is_cut, no_leaks),
      cmocka_unit_test_teardown(a_flood_of_refused_streams_is_bounded, no_leaks),
      cmocka_unit_test_teardown(a_flood_of_pings_is_bounded, no_leaks),
      cmocka_unit_test_teardown(a_flood_of_settings_is_bounded, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
