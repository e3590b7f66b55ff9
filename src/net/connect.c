#include "net/connect.h"

#include "base/alloc.h"
#include "base/container.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ATTEMPT_EVERY_US 250000
#define MAX_ADDRESSES 16

struct attempt {
  struct pubsub_io io; /* fd -1: not under way */
  struct pubsub_connect *connect;
};

struct pubsub_connect {
  struct pubsub_loop *loop;
  pubsub_connect_done_fn *on_done;
  void *user;
  struct pubsub_timer timer;
  const struct addrinfo *addresses[MAX_ADDRESSES]; /* in the order of trying */
  size_t count, next;
  struct attempt attempts[MAX_ADDRESSES];
  size_t under_way;
  char reason[120]; /* of the last attempt that failed */
};

static void drop(struct attempt *attempt) {
  if (attempt->io.fd < 0) return;
  pubsub_loop_io_remove(attempt->connect->loop, &attempt->io);
  close(attempt->io.fd);
  attempt->io.fd = -1;
  attempt->connect->under_way--;
}

static void finish(struct pubsub_connect *self, int fd) {
  pubsub_connect_done_fn *on_done = self->on_done;
  void *user = self->user;
  char reason[sizeof self->reason];
  memcpy(reason, self->reason, sizeof reason);
  pubsub_connect_cancel(self);
  on_done(user, fd, reason);
}

static void try_next(struct pubsub_connect *self) {
  if (self->next == self->count && self->under_way == 0) {
    finish(self, -1);
    return;
  }
  if (self->next == self->count) return; /* wait for what is under way */
  const struct addrinfo *address = self->addresses[self->next];
  struct attempt *attempt = &self->attempts[self->next++];
  struct pubsub_error error = {0};
  uint64_t again_us = pubsub_loop_now_us(self->loop);
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  bool started =
      fd >= 0 && (connect(fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EINPROGRESS);
  if (!started) {
    snprintf(self->reason, sizeof self->reason, "%s", strerror(errno));
    if (fd >= 0) close(fd);
  } else {
    attempt->io.fd = fd;
    if (pubsub_loop_io_add(self->loop, &attempt->io, PUBSUB_IO_WRITE, &error) == PUBSUB_OK) {
      self->under_way++;
      again_us += ATTEMPT_EVERY_US;
    } else {
      snprintf(self->reason, sizeof self->reason, "%.100s", error.text);
      attempt->io.fd = -1;
      close(fd);
    }
  }
  pubsub_loop_timer_set(self->loop, &self->timer, again_us);
}

static void on_io(struct pubsub_io *io, unsigned events) {
  struct attempt *attempt = PUBSUB_CONTAINER_OF(io, struct attempt, io);
  struct pubsub_connect *self = attempt->connect;
  int failure = 0;
  socklen_t len = sizeof failure;
  (void)events;
  getsockopt(io->fd, SOL_SOCKET, SO_ERROR, &failure, &len);
  if (failure == 0) {
    int fd = io->fd;
    pubsub_loop_io_remove(self->loop, io);
    io->fd = -1;
    self->under_way--;
    finish(self, fd);
  } else {
    snprintf(self->reason, sizeof self->reason, "%s", strerror(failure));
    drop(attempt);
    try_next(self);
  }
}

static void on_timer(struct pubsub_timer *timer) {
  try_next(PUBSUB_CONTAINER_OF(timer, struct pubsub_connect, timer));
}

/* The resolver's order (RFC 6724), but the families take turns, the first one's first. */
static void order(struct pubsub_connect *self, const struct addrinfo *addresses) {
  const struct addrinfo *same = addresses, *other = addresses;
  bool turn = true;
  while ((same || other) && self->count < MAX_ADDRESSES) {
    while (same && same->ai_family != addresses->ai_family)
      same = same->ai_next;
    while (other && other->ai_family == addresses->ai_family)
      other = other->ai_next;
    const struct addrinfo **from = turn ? &same : &other;
    if (*from) {
      self->addresses[self->count++] = *from;
      *from = (*from)->ai_next;
    }
    turn = !turn;
  }
}

enum pubsub_status pubsub_connect_start(struct pubsub_loop *loop, const struct addrinfo *addresses,
                                        pubsub_connect_done_fn *on_done, void *user,
                                        struct pubsub_connect **out) {
  struct pubsub_connect *self = pubsub_alloc_zero(1, sizeof *self);
  if (!self) return PUBSUB_E_NOMEM;
  self->loop = loop;
  self->on_done = on_done;
  self->user = user;
  self->timer.run = on_timer;
  snprintf(self->reason, sizeof self->reason, "no address");
  order(self, addresses);
  for (size_t i = 0; i < self->count; i++) {
    self->attempts[i] = (struct attempt){{.fd = -1, .run = on_io}, self};
  }
  pubsub_loop_timer_set(loop, &self->timer, pubsub_loop_now_us(loop));
  *out = self;
  return PUBSUB_OK;
}

void pubsub_connect_cancel(struct pubsub_connect *self) {
  pubsub_loop_timer_cancel(self->loop, &self->timer);
  for (size_t i = 0; i < self->count; i++)
    drop(&self->attempts[i]);
  pubsub_free(self);
}
