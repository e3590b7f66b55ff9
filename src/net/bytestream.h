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
  /* What on_event should be called for: a set of PUBSUB_IO_READ and PUBSUB_IO_WRITE. TLS maps it to what the
   * record layer needs. Level-triggered: bytes buffered inside TLS count as readable. */
  void (*set_interest)(struct pubsub_bytestream *stream, unsigned interest);
  /* Ends the write side after what was written (TLS: close_notify); best effort. */
  void (*shutdown)(struct pubsub_bytestream *stream);
  void (*destroy)(struct pubsub_bytestream *stream);
};
struct pubsub_bytestream {
  const struct pubsub_bytestream_ops *ops;
  void (*on_event)(void *user, unsigned events);
  void *user;
};

/* ---- clients ---- */

struct pubsub_tls_context; /* one per client or server; shared, read-only after creation */
/* Client: verifies chain and host name, TLS 1.2 or newer, ALPN "h2" required. ca_file NULL: the system's store. */
enum pubsub_status pubsub_tls_context_new_client(const char *ca_file,
                                                 struct pubsub_tls_context **out,
                                                 struct pubsub_error *error);
/* Server (emulator and tests): certificate chain and key, PEM files. */
enum pubsub_status pubsub_tls_context_new_server(const char *certificate_file, const char *key_file,
                                                 struct pubsub_tls_context **out,
                                                 struct pubsub_error *error);
void pubsub_tls_context_destroy(struct pubsub_tls_context *context);

/* Resolves (on a helper thread), connects to the first address that answers, goes through the proxy where there is one (which
 * then resolves the host), and does the TLS handshake where tls is not NULL. on_done is called once, later, on the loop's thread: with
 * a stream (the callee's to destroy) or with an error whose text names host, port and the reason ("certificate has expired"). */
struct pubsub_dial;
struct pubsub_proxy;
struct pubsub_dial_options {
  const char *host; /* copied */
  uint16_t port;
  struct pubsub_tls_context *tls;   /* NULL: plaintext */
  const struct pubsub_proxy *proxy; /* NULL: direct; otherwise outlives the dial */
  uint32_t timeout_ms;              /* of the whole */
};
typedef void pubsub_dial_done_fn(void *user, struct pubsub_bytestream *take_stream,
                                 const struct pubsub_error *error);
enum pubsub_status pubsub_dial_start(struct pubsub_loop *loop,
                                     const struct pubsub_dial_options *options,
                                     pubsub_dial_done_fn *on_done, void *user,
                                     struct pubsub_dial **out, struct pubsub_error *error);
void pubsub_dial_cancel(struct pubsub_dial *dial); /* before on_done; on_done is not called */

/* ---- servers ---- */

struct pubsub_listener;
typedef void pubsub_accept_fn(void *user, struct pubsub_bytestream *take_stream);
/* address: numeric ("127.0.0.1", "::1"); port 0: an ephemeral one. tls NULL: plaintext. At the descriptor limit it
 * pauses accepting for 100 ms instead of spinning. */
enum pubsub_status pubsub_listener_new(struct pubsub_loop *loop, const char *address, uint16_t port,
                                       struct pubsub_tls_context *tls, pubsub_accept_fn *on_accept,
                                       void *user, struct pubsub_listener **out,
                                       struct pubsub_error *error);
uint16_t pubsub_listener_port(const struct pubsub_listener *listener);
void pubsub_listener_destroy(struct pubsub_listener *listener);

/* "host", "host:port", "[v6]:port" -> parts; default_port where none is given. Errors: INVALID. */
enum pubsub_status pubsub_endpoint_parse(const char *endpoint, uint16_t default_port, char *host,
                                         size_t host_bytes, uint16_t *port,
                                         struct pubsub_error *error);

#endif
