#include "net/dial.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include "net/connect.h"
#include "net/resolve.h"
#include "net/socket.h"
#include "net/tls_inside.h"
#include "net/tunnel.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct pubsub_dial {
  struct pubsub_loop *loop;
  struct pubsub_timer timer;
  struct pubsub_tls_context *tls;
  const struct pubsub_proxy *proxy; /* NULL: none */
  pubsub_dial_done_fn *on_done;
  void *user;
  char host[256];
  uint16_t port;
  struct pubsub_resolve *resolve; /* while resolving */
  struct addrinfo *addresses;
  struct pubsub_connect *connect;   /* while connecting */
  struct pubsub_tunnel *tunnel;     /* while asking the proxy */
  struct pubsub_bytestream *stream; /* once connected */
};

static void tunnel_free(struct pubsub_dial *dial) {
  if (dial->tunnel) pubsub_tunnel_clear(dial->tunnel);
  pubsub_free(dial->tunnel);
  dial->tunnel = NULL;
}

static void dial_free(struct pubsub_dial *dial) {
  pubsub_loop_timer_cancel(dial->loop, &dial->timer);
  if (dial->resolve) pubsub_resolve_cancel(dial->resolve);
  if (dial->connect) pubsub_connect_cancel(dial->connect);
  tunnel_free(dial);
  if (dial->stream) dial->stream->ops->destroy(dial->stream);
  if (dial->addresses) freeaddrinfo(dial->addresses);
  pubsub_free(dial);
}

/* Who is looked up and connected to. */
static const char *next_hop(const struct pubsub_dial *dial) {
  return dial->proxy ? dial->proxy->host : dial->host;
}

static void finish(struct pubsub_dial *dial, const struct pubsub_error *failure) {
  struct pubsub_error error = {0};
  struct pubsub_bytestream *stream = NULL;
  if (!failure) {
    stream = dial->stream;
    dial->stream = NULL;
    stream->on_event = NULL;
  } else if (failure->status == PUBSUB_E_RESOLVE) {
    pubsub_error_set(&error, failure->status, "cannot resolve %s '%s': %s",
                     dial->proxy ? "the proxy" : "host", next_hop(dial), failure->text);
  } else {
    char via[300] = "";
    if (dial->proxy) {
      snprintf(via, sizeof via, " through the proxy %s:%u", dial->proxy->host, dial->proxy->port);
    }
    pubsub_error_set(&error, failure->status, "cannot connect to %s:%u%.150s: %.250s", dial->host,
                     dial->port, via, failure->text);
    error.retryable = failure->retryable;
  }
  pubsub_dial_done_fn *on_done = dial->on_done;
  void *user = dial->user;
  dial_free(dial);
  on_done(user, stream, stream ? NULL : &error);
}

static void fail(struct pubsub_dial *dial, enum pubsub_status status, const char *reason) {
  struct pubsub_error error = {0};
  pubsub_error_set(&error, status, "%s", reason);
  finish(dial, &error);
}

static void shake_hands(struct pubsub_dial *dial) {
  struct pubsub_error error = {0};
  int result = pubsub_tls_stream_handshake(dial->stream, &error);
  if (result == 1) {
    finish(dial, NULL);
  } else if (result == PUBSUB_BYTESTREAM_ERROR) {
    /* Anything short of a clear TLS verdict may pass by itself. */
    fail(dial, error.status == PUBSUB_E_TLS ? PUBSUB_E_TLS : PUBSUB_E_CONNECT, error.text);
  }
}

static void on_tls_event(void *user, unsigned events) {
  (void)events;
  shake_hands(user);
}

static void start_tls(struct pubsub_dial *dial) {
  struct pubsub_error error = {0};
  struct pubsub_bytestream *lower = dial->stream;
  if (!dial->tls) {
    finish(dial, NULL);
    return;
  }
  if (pubsub_tls_stream_new(dial->tls, lower, dial->host, &dial->stream, &error) != PUBSUB_OK) {
    finish(dial, &error);
    return;
  }
  dial->stream->on_event = on_tls_event;
  dial->stream->user = dial;
  shake_hands(dial);
}

static void on_proxy_event(void *user, unsigned events) {
  struct pubsub_dial *dial = user;
  struct pubsub_error error = {0};
  (void)events;
  int result = pubsub_tunnel_step(dial->tunnel, dial->stream, &error);
  if (result == PUBSUB_BYTESTREAM_ERROR) {
    if (error.status != PUBSUB_E_CONNECT)
      fail(dial, PUBSUB_E_CONNECT, error.text);
    else
      finish(dial, &error);
  } else if (result == 1) {
    tunnel_free(dial);
    start_tls(dial);
  }
}

static void on_connected(void *user, int take_fd, const char *reason) {
  struct pubsub_dial *dial = user;
  struct pubsub_error error = {0};
  dial->connect = NULL;
  if (take_fd < 0) {
    fail(dial, PUBSUB_E_CONNECT, reason);
    return;
  }
  if (pubsub_socket_stream_new(dial->loop, take_fd, &dial->stream, &error) != PUBSUB_OK) {
    close(take_fd);
    finish(dial, &error);
    return;
  }
  if (!dial->proxy) {
    start_tls(dial);
    return;
  }
  dial->tunnel = pubsub_alloc_zero(1, sizeof *dial->tunnel);
  if (!dial->tunnel ||
      pubsub_tunnel_init(dial->tunnel, dial->proxy, dial->host, dial->port) != PUBSUB_OK) {
    fail(dial, PUBSUB_E_NOMEM, "out of memory");
    return;
  }
  dial->stream->on_event = on_proxy_event;
  dial->stream->user = dial;
  on_proxy_event(dial, 0);
}

static void on_resolved(void *user, struct addrinfo *take_addresses, const char *reason) {
  struct pubsub_dial *dial = user;
  dial->resolve = NULL;
  dial->addresses = take_addresses;
  if (!take_addresses) {
    fail(dial, PUBSUB_E_RESOLVE, reason);
  } else if (pubsub_connect_start(dial->loop, take_addresses, on_connected, dial, &dial->connect) !=
             PUBSUB_OK) {
    fail(dial, PUBSUB_E_NOMEM, "out of memory");
  }
}

static void on_timeout(struct pubsub_timer *timer) {
  struct pubsub_dial *dial = PUBSUB_CONTAINER_OF(timer, struct pubsub_dial, timer);
  if (dial->resolve) {
    fail(dial, PUBSUB_E_RESOLVE, "no answer in time");
  } else if (dial->tunnel) {
    fail(dial, PUBSUB_E_CONNECT, "the proxy did not answer in time");
  } else {
    fail(dial, PUBSUB_E_CONNECT, dial->stream ? "the TLS handshake timed out" : "timed out");
  }
}

enum pubsub_status pubsub_dial_start(struct pubsub_loop *loop,
                                     const struct pubsub_dial_options *options,
                                     pubsub_dial_done_fn *on_done, void *user,
                                     struct pubsub_dial **out, struct pubsub_error *error) {
  struct pubsub_dial *dial = pubsub_alloc_zero(1, sizeof *dial);
  if (!dial) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  dial->loop = loop;
  dial->tls = options->tls;
  dial->proxy = options->proxy;
  dial->on_done = on_done;
  dial->user = user;
  dial->port = options->port;
  dial->timer.run = on_timeout;
  snprintf(dial->host, sizeof dial->host, "%s", options->host);
  uint16_t port = dial->proxy ? dial->proxy->port : dial->port;
  pubsub_loop_timer_set(loop, &dial->timer,
                        pubsub_loop_now_us(loop) + (uint64_t)options->timeout_ms * 1000);
  enum pubsub_status status =
      pubsub_resolve_start(loop, next_hop(dial), port, on_resolved, dial, &dial->resolve, error);
  if (status != PUBSUB_OK) {
    dial_free(dial);
    return status;
  }
  *out = dial;
  return PUBSUB_OK;
}

void pubsub_dial_cancel(struct pubsub_dial *dial) {
  dial_free(dial);
}
