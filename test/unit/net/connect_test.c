/* Connecting to one of several addresses: a black hole, a refusal and IPv6 first. On the loopback,
 * with the real kernel. */
#include "support.h"

#include "net/connect.h"
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct place {
  struct sockaddr_in address;
  struct addrinfo info;
  int fd;
};

/* A bound socket; backlog < 0: not listening, so that connecting is refused. */
static void bind_place(struct place *place, int backlog) {
  socklen_t len = sizeof place->address;
  *place = (struct place){.address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001)}};
  place->fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(place->fd, (struct sockaddr *)&place->address, len), 0);
  assert_int_equal(getsockname(place->fd, (struct sockaddr *)&place->address, &len), 0);
  if (backlog >= 0) assert_int_equal(listen(place->fd, backlog), 0);
  place->info = (struct addrinfo){.ai_family = AF_INET,
                                  .ai_socktype = SOCK_STREAM,
                                  .ai_addr = (struct sockaddr *)&place->address,
                                  .ai_addrlen = sizeof place->address};
}

/* A listener with a full queue: the kernel drops further SYNs. */
static void fill(struct place *place, int *fds, size_t count) {
  for (size_t i = 0; i < count; i++) {
    fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(fds[i], (struct sockaddr *)&place->address, sizeof place->address);
  }
  usleep(50000);
}

struct result {
  struct pubsub_loop *loop;
  int fd;
  char reason[100];
};

static void on_done(void *user, int take_fd, const char *reason) {
  struct result *result = user;
  result->fd = take_fd;
  strncpy(result->reason, reason, sizeof result->reason - 1);
  pubsub_loop_stop(result->loop);
}

static struct result connect_to(const struct addrinfo *addresses) {
  struct result result = {.fd = -2};
  struct pubsub_connect *self;
  assert_int_equal(pubsub_loop_new(&result.loop, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_connect_start(result.loop, addresses, on_done, &result, &self),
                   PUBSUB_OK);
  pubsub_loop_run(result.loop);
  pubsub_loop_destroy(result.loop);
  return result;
}

static uint16_t peer_port(int fd) {
  struct sockaddr_in peer = {0};
  socklen_t len = sizeof peer;
  assert_int_equal(getpeername(fd, (struct sockaddr *)&peer, &len), 0);
  return peer.sin_port;
}

static void a_black_hole_does_not_starve_the_rest(void **state) {
  struct place hole, refusing, good;
  int fds[4];
  (void)state;
  bind_place(&hole, 0);
  fill(&hole, fds, 4);
  bind_place(&refusing, -1);
  bind_place(&good, 8);
  hole.info.ai_next = &refusing.info;
  refusing.info.ai_next = &good.info;
  struct result result = connect_to(&hole.info);
  assert_true(result.fd >= 0);
  assert_int_equal(peer_port(result.fd), good.address.sin_port);
  close(result.fd);
  for (size_t i = 0; i < 4; i++)
    close(fds[i]);
  close(hole.fd);
  close(refusing.fd);
  close(good.fd);
}

static void families_take_turns(void **state) {
  /* The IPv4 address comes third, behind two of IPv6 without a listener, and is tried second. */
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(1)};
  struct addrinfo first = {
      .ai_family = AF_INET6, .ai_addr = (struct sockaddr *)&v6, .ai_addrlen = sizeof v6};
  struct addrinfo second = first;
  struct place good;
  (void)state;
  v6.sin6_addr = in6addr_loopback;
  bind_place(&good, 8);
  first.ai_next = &second;
  second.ai_next = &good.info;
  struct result result = connect_to(&first);
  assert_true(result.fd >= 0);
  assert_int_equal(peer_port(result.fd), good.address.sin_port);
  close(result.fd);
  close(good.fd);
}

static void the_last_reason_is_told(void **state) {
  struct place refusing;
  (void)state;
  bind_place(&refusing, -1);
  struct result result = connect_to(&refusing.info);
  assert_int_equal(result.fd, -1);
  assert_string_equal(result.reason, strerror(ECONNREFUSED));
  close(refusing.fd);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_black_hole_does_not_starve_the_rest, no_leaks),
      cmocka_unit_test_teardown(families_take_turns, no_leaks),
      cmocka_unit_test_teardown(the_last_reason_is_told, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
