/*
 * TLS over another byte stream (OpenSSL in memory; it never sees a descriptor): tls_context.c and
 * tls_stream.c. Used by dial.c and listener.c. Loop thread only.
 *
 * Small writes are gathered into records of 16 KB. Bytes that writev accepted but the socket did
 * not are kept here and flushed before anything else.
 */
#ifndef PUBSUB_NET_TLS_INSIDE_H
#define PUBSUB_NET_TLS_INSIDE_H

#include "net/bytestream.h"
#include "net/tls.h"
#include <openssl/ssl.h>

struct pubsub_tls_context {
  SSL_CTX *ssl;
  BIO_METHOD *bio;
  bool server;
  bool http1; /* the peer need not offer HTTP/2 */
};

/* How OpenSSL reaches the lower stream; freed with the context. NULL: no memory. */
BIO_METHOD *pubsub_tls_bio_method_new(void);

/* Takes `lower` on OK. host: client only, checked against the certificate. */
enum pubsub_status pubsub_tls_stream_new(struct pubsub_tls_context *context,
                                         struct pubsub_bytestream *take_lower, const char *host,
                                         struct pubsub_bytestream **out,
                                         struct pubsub_error *error);
/* Drives the handshake: 1 done, PUBSUB_BYTESTREAM_AGAIN: call again on the next event (which are
 * asked for here), PUBSUB_BYTESTREAM_ERROR with the reason. */
int pubsub_tls_stream_handshake(struct pubsub_bytestream *stream, struct pubsub_error *error);

#endif
