/*
 * Accepts connections; those over TLS are handed out after their handshake, which has 10 s. At the
 * limit of descriptors it pauses for 100 ms instead of spinning. Loop thread only.
 */
#ifndef PUBSUB_NET_LISTENER_H
#define PUBSUB_NET_LISTENER_H

#include "net/bytestream.h"
#include "net/tls.h"

struct pubsub_listener;
typedef void pubsub_accept_fn(void *user, struct pubsub_bytestream *take_stream);
/* address: numeric ("127.0.0.1", "::1"); port 0: an ephemeral one. tls NULL: plaintext. Errors:
 * INVALID, IO (with the reason), NOMEM. */
enum pubsub_status pubsub_listener_new(struct pubsub_loop *loop, const char *address, uint16_t port,
                                       struct pubsub_tls_context *tls, pubsub_accept_fn *on_accept,
                                       void *user, struct pubsub_listener **out,
                                       struct pubsub_error *error);
/* On a socket that listens already; it is duplicated, and does not block then. Errors: INVALID (it
 * is none), IO, NOMEM. */
enum pubsub_status pubsub_listener_adopt(struct pubsub_loop *loop, int fd,
                                         struct pubsub_tls_context *tls,
                                         pubsub_accept_fn *on_accept, void *user,
                                         struct pubsub_listener **out, struct pubsub_error *error);
uint16_t pubsub_listener_port(const struct pubsub_listener *listener);
void pubsub_listener_destroy(struct pubsub_listener *listener); /* NULL is allowed */

#endif
