/*
 * A connected, non-blocking byte stream: a socket, or TLS over one. What HTTP/2 stands on.
 *
 * Loop thread only. The owner sets on_event and interest; read and writev never block.
 */
#ifndef PUBSUB_NET_BYTESTREAM_H
#define PUBSUB_NET_BYTESTREAM_H

#include "net/loop.h"
#include <sys/types.h>
#include <sys/uio.h>

/* Results of read and writev besides a byte count >= 1. */
enum {
  PUBSUB_BYTESTREAM_EOF = 0,    /* read only: orderly end */
  PUBSUB_BYTESTREAM_AGAIN = -1, /* wait for the next event */
  PUBSUB_BYTESTREAM_ERROR = -2, /* error filled; the stream is dead */
};

struct pubsub_bytestream;
struct pubsub_bytestream_ops {
  ssize_t (*read)(struct pubsub_bytestream *stream, uint8_t *out, size_t capacity,
                  struct pubsub_error *error);
  ssize_t (*writev)(struct pubsub_bytestream *stream, const struct iovec *parts, int count,
                    struct pubsub_error *error);
  /* What on_event should be called for: a set of PUBSUB_IO_READ and PUBSUB_IO_WRITE. TLS maps it to
   * what the record layer needs. Level-triggered: bytes buffered inside TLS count as readable. */
  void (*set_interest)(struct pubsub_bytestream *stream, unsigned interest);
  /* Ends the write side after what was written (TLS: close_notify); best effort. */
  void (*shutdown)(struct pubsub_bytestream *stream);
  void (*destroy)(struct pubsub_bytestream *stream);
};
struct pubsub_bytestream {
  const struct pubsub_bytestream_ops *ops;
  void (*on_event)(void *user, unsigned events);
  void *user;
  bool local; /* accepted from this very host */
};

#endif
