/*
 * Dialling: resolve, connect to each address in turn, TLS handshake.
 *
 *   resolving ── addresses ──▶ connecting ── connected ──▶ (TLS) handshaking ──▶ done
 *       │                        │   ▲ next address            │
 *       └── no address           └───┘ refused                 └── certificate …: error
 *   One timer bounds the whole.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "net/resolve.h"
#include "net/socket.h"
#include "net/tls.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct pubsub_dial {
  struct pubsub_loop *loop;
  struct pubsub_timer timer;
  struct pubsub_tls_context *tls;
  pubsub_dial_done_fn *on_done;
  void *user;
  char host[256];
  uint16_t port;
  struct pubsub_resolve *resolve;    /* while resolving */
  struct addrinfo *addresses, *next; /* all; the next one to try */
  struct pubsub_io io;               /* while connecting: fd >= 0 */
  struct pubsub_bytestream *stream;  /* while handshaking */
  char reason[160];                  /* of the last address that failed */
};

#define DIAL_OF(ptr, member)                                                                       \
  ((struct pubsub_dial *)((char *)(ptr)-offsetof(struct pubsub_dial, member)))

static void close_socket(struct pubsub_dial *dial) {
  if (dial->io.fd < 0) return;
  pubsub_loop_io_remove(dial->loop, &dial->io);
  close(dial->io.fd);
  dial->io.fd = -1;
}

static void dial_free(struct pubsub_dial *dial) {
  pubsub_loop_timer_cancel(dial->loop, &dial->timer);
  if (dial->resolve) pubsub_resolve_cancel(dial->resolve);
  close_socket(dial);
  if (dial->stream) dial->stream->ops->destroy(dial->stream);
  if (dial->addresses) freeaddrinfo(dial->addresses);
  pubsub_free(dial);
}

static void finish(struct pubsub_dial *dial, enum pubsub_status status, const char *reason) {
  struct pubsub_error error = {0};
  struct pubsub_bytestream *stream = NULL;
  if (status == PUBSUB_OK) {
    stream = dial->stream;
    dial->stream = NULL;
    stream->on_event = NULL;
  } else if (status == PUBSUB_E_RESOLVE) {
    pubsub_error_set(&error, status, "cannot resolve host '%s': %s", dial->host, reason);
  } else {
    pubsub_error_set(&error, status, "cannot connect to %s:%u: %s", dial->host, dial->port, reason);
  }
  pubsub_dial_done_fn *on_done = dial->on_done;
  void *user = dial->user;
  dial_free(dial);
  on_done(user, stream, stream ? NULL : &error);
}

static void shake_hands(struct pubsub_dial *dial) {
  struct pubsub_error error = {0};
  int result = pubsub_tls_stream_handshake(dial->stream, &error);
  if (result == 1) {
    finish(dial, PUBSUB_OK, NULL);
  } else if (result == PUBSUB_BYTESTREAM_ERROR) {
    /* Anything short of a clear TLS verdict may pass by itself. */
    finish(dial, error.status == PUBSUB_E_TLS ? PUBSUB_E_TLS : PUBSUB_E_CONNECT, error.text);
  }
}

static void on_tls_event(void *user, unsigned events) {
  (void)events;
  shake_hands(user);
}

static void connected(struct pubsub_dial *dial) {
  struct pubsub_error error = {0};
  struct pubsub_bytestream *stream;
  int fd = dial->io.fd;
  pubsub_loop_io_remove(dial->loop, &dial->io);
  dial->io.fd = -1;
  if (pubsub_socket_stream_new(dial->loop, fd, &stream, &error) != PUBSUB_OK) {
    close(fd);
    finish(dial, error.status, error.text);
    return;
  }
  if (!dial->tls) {
    dial->stream = stream;
    finish(dial, PUBSUB_OK, NULL);
    return;
  }
  if (pubsub_tls_stream_new(dial->tls, stream, dial->host, &dial->stream, &error) != PUBSUB_OK) {
    stream->ops->destroy(stream);
    finish(dial, error.status, error.text);
    return;
  }
  dial->stream->on_event = on_tls_event;
  dial->stream->user = dial;
  shake_hands(dial);
}

static void try_next(struct pubsub_dial *dial);

static void on_connect_event(struct pubsub_io *io, unsigned events) {
  struct pubsub_dial *dial = DIAL_OF(io, io);
  int failure = 0;
  socklen_t len = sizeof failure;
  (void)events;
  getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &failure, &len);
  if (failure == 0) {
    connected(dial);
  } else {
    snprintf(dial->reason, sizeof dial->reason, "%s", strerror(failure));
    close_socket(dial);
    try_next(dial);
  }
}

static bool try_address(struct pubsub_dial *dial, const struct addrinfo *address) {
  struct pubsub_error error = {0};
  dial->io.fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (dial->io.fd < 0) {
    snprintf(dial->reason, sizeof dial->reason, "%s", strerror(errno));
    return false;
  }
  if (pubsub_loop_io_add(dial->loop, &dial->io, PUBSUB_IO_WRITE, &error) != PUBSUB_OK) {
    snprintf(dial->reason, sizeof dial->reason, "%.100s", error.text);
    close(dial->io.fd);
    dial->io.fd = -1;
    return false;
  }
  if (connect(dial->io.fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS) {
    return true;
  }
  snprintf(dial->reason, sizeof dial->reason, "%s", strerror(errno));
  close_socket(dial);
  return false;
}

static void try_next(struct pubsub_dial *dial) {
  while (dial->next) {
    struct addrinfo *address = dial->next;
    dial->next = address->ai_next;
    if (try_address(dial, address)) return;
  }
  finish(dial, PUBSUB_E_CONNECT, dial->reason);
}

static void on_resolved(void *user, struct addrinfo *take_addresses, const char *reason) {
  struct pubsub_dial *dial = user;
  dial->resolve = NULL;
  dial->addresses = dial->next = take_addresses;
  if (!take_addresses) {
    finish(dial, PUBSUB_E_RESOLVE, reason);
  } else {
    try_next(dial);
  }
}

static void on_timeout(struct pubsub_timer *timer) {
  struct pubsub_dial *dial = DIAL_OF(timer, timer);
  if (dial->resolve) {
    finish(dial, PUBSUB_E_RESOLVE, "no answer in time");
  } else {
    finish(dial, PUBSUB_E_CONNECT, dial->stream ? "the TLS handshake timed out" : "timed out");
  }
}

enum pubsub_status pubsub_dial_start(struct pubsub_loop *loop, const char *host, uint16_t port,
                                     struct pubsub_tls_context *tls, uint32_t timeout_ms,
                                     pubsub_dial_done_fn *on_done, void *user,
                                     struct pubsub_dial **out, struct pubsub_error *error) {
  struct pubsub_dial *dial = pubsub_alloc_zero(1, sizeof *dial);
  if (!dial) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  dial->loop = loop;
  dial->tls = tls;
  dial->on_done = on_done;
  dial->user = user;
  dial->port = port;
  dial->io = (struct pubsub_io){.fd = -1, .run = on_connect_event};
  dial->timer.run = on_timeout;
  snprintf(dial->host, sizeof dial->host, "%s", host);
  enum pubsub_status status = pubsub_loop_timer_set(
      loop, &dial->timer, pubsub_loop_now_us(loop) + (uint64_t)timeout_ms * 1000);
  if (status == PUBSUB_OK) {
    status = pubsub_resolve_start(loop, host, port, on_resolved, dial, &dial->resolve, error);
  } else {
    pubsub_error_set(error, status, "out of memory");
  }
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
