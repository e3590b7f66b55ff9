#include "net/listener.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include "net/socket.h"
#include "net/tls_inside.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PAUSE_US 100000
#define HANDSHAKE_US 10000000
#define ACCEPTS_A_TURN 64

struct pubsub_listener {
  struct pubsub_io io;
  struct pubsub_timer resume;
  struct pubsub_loop *loop;
  struct pubsub_tls_context *tls;
  pubsub_accept_fn *on_accept;
  void *user;
  struct pubsub_list handshakes;
  uint16_t port;
};

struct handshake {
  struct pubsub_list link;
  struct pubsub_listener *listener;
  struct pubsub_bytestream *stream;
  struct pubsub_timer timer;
};

static void handshake_free(struct handshake *handshake) {
  pubsub_list_remove(&handshake->link);
  pubsub_loop_timer_cancel(handshake->listener->loop, &handshake->timer);
  if (handshake->stream) handshake->stream->ops->destroy(handshake->stream);
  pubsub_free(handshake);
}

static void on_handshake_event(void *user, unsigned events) {
  struct handshake *handshake = user;
  struct pubsub_listener *listener = handshake->listener;
  (void)events;
  int result = pubsub_tls_stream_handshake(handshake->stream, NULL);
  if (result == PUBSUB_BYTESTREAM_AGAIN) return;
  struct pubsub_bytestream *stream = NULL;
  if (result == 1) {
    stream = handshake->stream;
    stream->on_event = NULL;
    handshake->stream = NULL;
  }
  handshake_free(handshake);
  if (stream) listener->on_accept(listener->user, stream);
}

static void on_handshake_timeout(struct pubsub_timer *timer) {
  handshake_free(PUBSUB_CONTAINER_OF(timer, struct handshake, timer));
}

static void start_handshake(struct pubsub_listener *listener, struct pubsub_bytestream *lower) {
  struct handshake *handshake = pubsub_alloc_zero(1, sizeof *handshake);
  if (!handshake) goto fail;
  handshake->listener = listener;
  handshake->timer.run = on_handshake_timeout;
  if (pubsub_tls_stream_new(listener->tls, lower, NULL, &handshake->stream, NULL) != PUBSUB_OK) {
    goto fail;
  }
  handshake->stream->on_event = on_handshake_event;
  handshake->stream->user = handshake;
  handshake->stream->local = lower->local;
  pubsub_list_push_back(&listener->handshakes, &handshake->link);
  pubsub_loop_timer_set(listener->loop, &handshake->timer,
                        pubsub_loop_now_us(listener->loop) + HANDSHAKE_US);
  on_handshake_event(handshake, 0);
  return;
fail:
  pubsub_free(handshake);
  lower->ops->destroy(lower);
}

static bool is_loopback(const struct sockaddr_storage *peer) {
  const struct in6_addr *v6 = &((const struct sockaddr_in6 *)peer)->sin6_addr;
  if (peer->ss_family == AF_INET) {
    return ntohl(((const struct sockaddr_in *)peer)->sin_addr.s_addr) >> 24 == 127;
  }
  if (peer->ss_family != AF_INET6) return false;
  return IN6_IS_ADDR_LOOPBACK(v6) || (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == 127);
}

static void on_acceptable(struct pubsub_io *io, unsigned events) {
  struct pubsub_listener *listener = PUBSUB_CONTAINER_OF(io, struct pubsub_listener, io);
  (void)events;
  for (int i = 0; i < ACCEPTS_A_TURN; i++) {
    struct sockaddr_storage peer = {0};
    socklen_t peer_len = sizeof peer;
    int fd = accept4(io->fd, (struct sockaddr *)&peer, &peer_len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno != EAGAIN && errno != EWOULDBLOCK) { /* out of descriptors or memory */
        pubsub_loop_io_set(listener->loop, io, 0);
        pubsub_loop_timer_set(listener->loop, &listener->resume,
                              pubsub_loop_now_us(listener->loop) + PAUSE_US);
      }
      return;
    }
    struct pubsub_bytestream *stream;
    if (pubsub_socket_stream_new(listener->loop, fd, &stream, NULL) != PUBSUB_OK) {
      close(fd);
      continue;
    }
    stream->local = is_loopback(&peer);
    if (listener->tls) {
      start_handshake(listener, stream);
    } else {
      listener->on_accept(listener->user, stream);
    }
  }
}

static void on_resume(struct pubsub_timer *timer) {
  struct pubsub_listener *listener = PUBSUB_CONTAINER_OF(timer, struct pubsub_listener, resume);
  pubsub_loop_io_set(listener->loop, &listener->io, PUBSUB_IO_READ);
}

static bool parse_address(const char *text, uint16_t port, struct sockaddr_storage *out,
                          socklen_t *len) {
  struct sockaddr_in *v4 = (struct sockaddr_in *)out;
  struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
  memset(out, 0, sizeof *out);
  if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    *len = sizeof *v4;
    return true;
  }
  if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    *len = sizeof *v6;
    return true;
  }
  return false;
}

/* Takes the socket, which listens, on success. */
static enum pubsub_status watch(struct pubsub_loop *loop, int take_fd,
                                struct pubsub_tls_context *tls, pubsub_accept_fn *on_accept,
                                void *user, struct pubsub_listener **out,
                                struct pubsub_error *error) {
  struct sockaddr_storage name = {0};
  socklen_t name_len = sizeof name;
  struct pubsub_listener *listener = pubsub_alloc_zero(1, sizeof *listener);
  if (!listener) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  *listener = (struct pubsub_listener){.loop = loop,
                                       .tls = tls,
                                       .on_accept = on_accept,
                                       .user = user,
                                       .resume.run = on_resume,
                                       .io = {.fd = take_fd, .run = on_acceptable}};
  pubsub_list_init(&listener->handshakes);
  enum pubsub_status status = PUBSUB_OK;
  if (getsockname(take_fd, (struct sockaddr *)&name, &name_len) != 0) {
    status = pubsub_error_set(error, PUBSUB_E_IO, "cannot listen: %s", strerror(errno));
  }
  listener->port = ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                                    : ((struct sockaddr_in *)&name)->sin_port);
  if (status == PUBSUB_OK) status = pubsub_loop_io_add(loop, &listener->io, PUBSUB_IO_READ, error);
  if (status == PUBSUB_OK) {
    *out = listener;
  } else {
    pubsub_free(listener);
  }
  return status;
}

enum pubsub_status pubsub_listener_new(struct pubsub_loop *loop, const char *address, uint16_t port,
                                       struct pubsub_tls_context *tls, pubsub_accept_fn *on_accept,
                                       void *user, struct pubsub_listener **out,
                                       struct pubsub_error *error) {
  struct sockaddr_storage name;
  socklen_t name_len;
  int one = 1;
  if (!parse_address(address, port, &name, &name_len)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "'%.100s' is not a numeric address", address);
  }
  enum pubsub_status status = PUBSUB_OK;
  int fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
      bind(fd, (struct sockaddr *)&name, name_len) != 0 || listen(fd, 4096) != 0) {
    status = pubsub_error_set(error, PUBSUB_E_IO, "cannot listen on %s port %u: %s", address, port,
                              strerror(errno));
  }
  if (status == PUBSUB_OK) status = watch(loop, fd, tls, on_accept, user, out, error);
  if (status != PUBSUB_OK && fd >= 0) close(fd);
  return status;
}

static bool is_listening(int fd) {
  int listening = 0;
  socklen_t len = sizeof listening;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 && listening;
}

enum pubsub_status pubsub_listener_adopt(struct pubsub_loop *loop, int fd,
                                         struct pubsub_tls_context *tls,
                                         pubsub_accept_fn *on_accept, void *user,
                                         struct pubsub_listener **out, struct pubsub_error *error) {
  if (!is_listening(fd)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "descriptor %d is no listening socket", fd);
  }
  int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
  enum pubsub_status status = PUBSUB_OK;
  if (own < 0 || fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK) != 0) {
    status = pubsub_error_set(error, PUBSUB_E_IO, "cannot listen on descriptor %d: %s", fd,
                              strerror(errno));
  }
  if (status == PUBSUB_OK) status = watch(loop, own, tls, on_accept, user, out, error);
  if (status != PUBSUB_OK && own >= 0) close(own);
  return status;
}

uint16_t pubsub_listener_port(const struct pubsub_listener *listener) {
  return listener->port;
}

void pubsub_listener_destroy(struct pubsub_listener *listener) {
  if (!listener) return;
  while (!pubsub_list_empty(&listener->handshakes)) {
    handshake_free(PUBSUB_CONTAINER_OF(listener->handshakes.next, struct handshake, link));
  }
  pubsub_loop_timer_cancel(listener->loop, &listener->resume);
  pubsub_loop_io_remove(listener->loop, &listener->io);
  close(listener->io.fd);
  pubsub_free(listener);
}
