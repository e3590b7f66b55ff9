/*
 * Dialling: resolves on a helper thread, connects to the first address that answers, goes through
 * the proxy where there is one (which then resolves the host), and does the TLS handshake where tls
 * is set.
 *
 *   resolving ── addresses ──▶ connecting ──▶ (proxy) asking ──▶ (TLS) handshaking ──▶ done
 *       │                          │              │                  │
 *       └── no address             └── refused    └── 407 …          └── certificate …: error
 *
 * One timer bounds the whole. Loop thread only.
 */
#ifndef PUBSUB_NET_DIAL_H
#define PUBSUB_NET_DIAL_H

#include "net/bytestream.h"
#include "net/tls.h"

struct pubsub_dial;
struct pubsub_proxy;
struct pubsub_dial_options {
  const char *host; /* copied */
  uint16_t port;
  struct pubsub_tls_context *tls;   /* NULL: plaintext */
  const struct pubsub_proxy *proxy; /* NULL: direct; otherwise outlives the dial */
  uint32_t timeout_ms;              /* of the whole */
};
/* Once, later: with a stream (the callee's to destroy), or with an error whose text names host,
 * port and the reason ("certificate has expired"). The dial is freed by then. */
typedef void pubsub_dial_done_fn(void *user, struct pubsub_bytestream *take_stream,
                                 const struct pubsub_error *error);
enum pubsub_status pubsub_dial_start(struct pubsub_loop *loop,
                                     const struct pubsub_dial_options *options,
                                     pubsub_dial_done_fn *on_done, void *user,
                                     struct pubsub_dial **out, struct pubsub_error *error);
void pubsub_dial_cancel(struct pubsub_dial *dial); /* before on_done, which is then not called */

#endif
