#include "proxy.h"

#include "fault.h"

#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WAIT_MS 20
#define MAX_CONNECTIONS 256

struct proxy {
  int listener;
  uint16_t to_port;
  atomic_bool stopping;
  pthread_t acceptor, workers[MAX_CONNECTIONS];
  int worker_count; /* acceptor's, until it has ended */
};

struct connection {
  struct proxy *proxy;
  int fd;
};

static int dial(uint16_t port) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(port)};
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof name) == 0) return fd;
  close(fd);
  return -1;
}

static bool take_request(struct proxy *proxy, int fd) {
  char head[4096];
  size_t len = 0;
  while (len < sizeof head - 1 && !atomic_load(&proxy->stopping)) {
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    if (poll(&pollfd, 1, WAIT_MS) == 0) continue;
    if (read(fd, head + len, 1) != 1) return false;
    head[++len] = '\0';
    if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
      return strncmp(head, "CONNECT ", 8) == 0 && strstr(head, "roxy-Authorization: Basic ");
  }
  return false;
}

static bool pump(int from, int to) {
  char buffer[16384];
  ssize_t got = recv(from, buffer, sizeof buffer, MSG_DONTWAIT);
  return got > 0 && send(to, buffer, (size_t)got, MSG_NOSIGNAL) == got;
}

static void relay(struct proxy *proxy, int left, int right) {
  struct pollfd ends[] = {{.fd = left, .events = POLLIN}, {.fd = right, .events = POLLIN}};
  while (!atomic_load(&proxy->stopping)) {
    if (poll(ends, 2, WAIT_MS) <= 0) continue;
    if (ends[0].revents && !pump(left, right)) return;
    if (ends[1].revents && !pump(right, left)) return;
  }
}

static void *serve(void *user) {
  static const char yes[] = "HTTP/1.1 200 Connection established\r\n\r\n";
  struct connection connection = *(struct connection *)user;
  free(user);
  if (take_request(connection.proxy, connection.fd)) {
    int upstream = dial(connection.proxy->to_port);
    if (upstream >= 0 && send(connection.fd, yes, sizeof yes - 1, MSG_NOSIGNAL) > 0)
      relay(connection.proxy, connection.fd, upstream);
    if (upstream >= 0) close(upstream);
  }
  close(connection.fd);
  return NULL;
}

static void *accept_all(void *user) {
  struct proxy *proxy = user;
  while (!atomic_load(&proxy->stopping) && proxy->worker_count < MAX_CONNECTIONS) {
    struct pollfd pollfd = {.fd = proxy->listener, .events = POLLIN};
    if (poll(&pollfd, 1, WAIT_MS) <= 0) continue;
    struct connection *connection = malloc(sizeof *connection);
    *connection = (struct connection){proxy, accept(proxy->listener, NULL, NULL)};
    pthread_create(&proxy->workers[proxy->worker_count++], NULL, serve, connection);
  }
  return NULL;
}

struct proxy *proxy_new(uint16_t to_port, uint16_t *out_port) {
  enum side side = side_enter(SIDE_NONE);
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof name;
  struct proxy *proxy = calloc(1, sizeof *proxy);
  proxy->to_port = to_port;
  proxy->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(proxy->listener, (struct sockaddr *)&name, len) != 0 ||
      listen(proxy->listener, 16) != 0 ||
      getsockname(proxy->listener, (struct sockaddr *)&name, &len) != 0 ||
      pthread_create(&proxy->acceptor, NULL, accept_all, proxy) != 0) {
    close(proxy->listener);
    free(proxy);
    proxy = NULL;
  }
  *out_port = ntohs(name.sin_port);
  side_enter(side);
  return proxy;
}

void proxy_destroy(struct proxy *proxy) {
  if (!proxy) return;
  atomic_store(&proxy->stopping, true);
  pthread_join(proxy->acceptor, NULL);
  for (int i = 0; i < proxy->worker_count; i++)
    pthread_join(proxy->workers[i], NULL);
  close(proxy->listener);
  free(proxy);
}
