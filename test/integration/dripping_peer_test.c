/* A peer that sends a byte of the TLS handshake at a time, past the time a connection may take:
 * the client gives the connection up while bytes of it are on their way, again and again, and
 * says why. */
#include "support.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <pubsub/admin.h>
#include <pubsub/client.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECT_MS 60
#define CALLS 8

struct peer {
  int listening;
  uint16_t port;
  pthread_t thread;
  atomic_bool stopping;
  unsigned cut; /* connections that the client has ended */
};

/* A handshake record of one byte, again and again: a message that never becomes whole. */
static void drip(struct peer *peer, int fd) {
  uint8_t message[4 + 16380] = {2, 0, 0x3f, 0xfc};
  for (size_t i = 0; i < sizeof message && !atomic_load(&peer->stopping); i++) {
    const uint8_t record[6] = {0x16, 3, 3, 0, 1, message[i]};
    for (size_t at = 0; at < sizeof record; at++) {
      if (send(fd, record + at, 1, MSG_NOSIGNAL) != 1) {
        peer->cut++;
        return;
      }
      usleep(50);
    }
  }
}

static void *serve(void *arg) {
  struct peer *peer = arg;
  int fd, one = 1;
  while ((fd = accept(peer->listening, NULL, NULL)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    drip(peer, fd);
    close(fd);
  }
  return NULL;
}

static void peer_start(struct peer *peer) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof address;
  peer->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_int_equal(bind(peer->listening, (struct sockaddr *)&address, len), 0);
  assert_int_equal(listen(peer->listening, 8), 0);
  assert_int_equal(getsockname(peer->listening, (struct sockaddr *)&address, &len), 0);
  peer->port = ntohs(address.sin_port);
  assert_int_equal(pthread_create(&peer->thread, NULL, serve, peer), 0);
}

static void peer_stop(struct peer *peer) {
  atomic_store(&peer->stopping, true);
  shutdown(peer->listening, SHUT_RDWR);
  pthread_join(peer->thread, NULL);
  close(peer->listening);
}

static void a_handshake_that_drips_is_given_up(void **state) {
  struct peer peer = {0};
  struct pubsub_client *client;
  char endpoint[32];
  (void)state;
  peer_start(&peer);
  snprintf(endpoint, sizeof endpoint, "127.0.0.1:%u", peer.port);
  struct pubsub_client_options options = {
      .endpoint = endpoint, .proxy = "", .loop_threads = 1, .connect_timeout_ms = CONNECT_MS};
  assert_int_equal(pubsub_client_new(&options, &client, NULL), PUBSUB_OK);
  for (int i = 0; i < CALLS; i++) {
    struct pubsub_error error = {0};
    pubsub_client_get_topic(client, "projects/p/topics/t", 4 * CONNECT_MS, &error);
    assert_int_not_equal(error.status, PUBSUB_OK);
    assert_non_null(strstr(error.text, "the TLS handshake timed out"));
  }
  pubsub_client_destroy(client);
  peer_stop(&peer);
  assert_in_range(peer.cut, 2, 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_handshake_that_drips_is_given_up, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
