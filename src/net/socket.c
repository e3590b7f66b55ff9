#include "net/socket.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct socket_stream {
  struct pubsub_bytestream base;
  struct pubsub_io io;
  struct pubsub_loop *loop;
};

/* No delay; a peer that does not acknowledge for 30 s is lost. */
static void tune(int fd) {
  int one = 1;
  unsigned user_timeout_ms = 30000;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &user_timeout_ms, sizeof user_timeout_ms);
}

static ssize_t socket_read(struct pubsub_bytestream *stream, uint8_t *out, size_t capacity,
                           struct pubsub_error *error) {
  struct socket_stream *self = PUBSUB_CONTAINER_OF(stream, struct socket_stream, base);
  ssize_t got;
  do {
    got = recv(self->io.fd, out, capacity, 0);
  } while (got < 0 && errno == EINTR);
  if (got >= 0) return got;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return PUBSUB_BYTESTREAM_AGAIN;
  pubsub_error_set(error, PUBSUB_E_IO, "connection lost: %s", strerror(errno));
  return PUBSUB_BYTESTREAM_ERROR;
}

static ssize_t socket_writev(struct pubsub_bytestream *stream, const struct iovec *parts, int count,
                             struct pubsub_error *error) {
  struct socket_stream *self = PUBSUB_CONTAINER_OF(stream, struct socket_stream, base);
  struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
  ssize_t put;
  do {
    put = sendmsg(self->io.fd, &message, MSG_NOSIGNAL);
  } while (put < 0 && errno == EINTR);
  if (put >= 0) return put;
  if (errno == EAGAIN || errno == EWOULDBLOCK) return PUBSUB_BYTESTREAM_AGAIN;
  pubsub_error_set(error, PUBSUB_E_IO, "connection lost: %s", strerror(errno));
  return PUBSUB_BYTESTREAM_ERROR;
}

static void socket_set_interest(struct pubsub_bytestream *stream, unsigned interest) {
  struct socket_stream *self = PUBSUB_CONTAINER_OF(stream, struct socket_stream, base);
  pubsub_loop_io_set(self->loop, &self->io, interest);
}

static void socket_shutdown(struct pubsub_bytestream *stream) {
  struct socket_stream *self = PUBSUB_CONTAINER_OF(stream, struct socket_stream, base);
  shutdown(self->io.fd, SHUT_WR);
}

static void socket_destroy(struct pubsub_bytestream *stream) {
  struct socket_stream *self = PUBSUB_CONTAINER_OF(stream, struct socket_stream, base);
  pubsub_loop_io_remove(self->loop, &self->io);
  close(self->io.fd);
  pubsub_free(self);
}

static const struct pubsub_bytestream_ops socket_ops = {
    socket_read, socket_writev, socket_set_interest, socket_shutdown, socket_destroy};

static void on_io(struct pubsub_io *io, unsigned events) {
  struct socket_stream *self = PUBSUB_CONTAINER_OF(io, struct socket_stream, io);
  if (self->base.on_event) self->base.on_event(self->base.user, events);
}

enum pubsub_status pubsub_socket_stream_new(struct pubsub_loop *loop, int take_fd,
                                            struct pubsub_bytestream **out,
                                            struct pubsub_error *error) {
  struct socket_stream *self = pubsub_alloc_zero(1, sizeof *self);
  if (!self) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  self->base.ops = &socket_ops;
  self->loop = loop;
  self->io = (struct pubsub_io){.fd = take_fd, .run = on_io};
  enum pubsub_status status = pubsub_loop_io_add(loop, &self->io, 0, error);
  if (status != PUBSUB_OK) {
    pubsub_free(self);
    return status;
  }
  tune(take_fd);
  *out = &self->base;
  return PUBSUB_OK;
}
