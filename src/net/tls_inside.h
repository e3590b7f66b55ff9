/*
 * TLS over another byte stream (OpenSSL in memory; it never sees a descriptor): tls_context.c,
 * tls_roots.c and tls_stream.c. Used by dial.c and listener.c. Loop thread only.
 *
 * Small writes are gathered into records of 16 KB. Bytes that writev accepted but the socket did
 * not are kept here and flushed before anything else.
 *
 * OpenSSL goes on without what it lacked memory for, and keeps what it made for good. So a context
 * that offers less than another made the same way is refused when it is made, as is one with a root
 * that was not read well; and roots that are read later, from the system's folder, are kept by one
 * connection only.
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
  bool http1;  /* the peer need not offer HTTP/2 */
  bool folder; /* the system's folder of roots counts too, read as they are needed */
};

/* How OpenSSL reaches the lower stream; freed with the context. NULL: no memory. */
BIO_METHOD *pubsub_tls_bio_method_new(void);

/* The certificates that a client trusts, into its context; ca_file NULL: the system's. Errors: TLS
 * (not the system's), NOMEM. */
enum pubsub_status pubsub_tls_roots_load(struct pubsub_tls_context *context, const char *ca_file,
                                         struct pubsub_error *error);
/* The context's and the folder's, for one connection. False: no memory. */
bool pubsub_tls_roots_lend(const struct pubsub_tls_context *context, SSL *ssl);
/* Where OpenSSL lacks memory for a certificate's key or extensions just once, it takes the
 * certificate for a bad one from then on, and does not say so. False: such a one is among the
 * peer's and the connection's roots. */
bool pubsub_tls_chain_is_read(SSL *ssl);

/* Whether OpenSSL has failed on this side, for lack of memory as a rule: that says nothing of the
 * peer, and passes. Empties this thread's queue of OpenSSL's errors. */
bool pubsub_tls_lacks_memory(void);

/* Takes `lower` on OK. host: client only, checked against the certificate. */
enum pubsub_status pubsub_tls_stream_new(struct pubsub_tls_context *context,
                                         struct pubsub_bytestream *take_lower, const char *host,
                                         struct pubsub_bytestream **out,
                                         struct pubsub_error *error);
/* Drives the handshake: 1 done, PUBSUB_BYTESTREAM_AGAIN: call again on the next event (which are
 * asked for here), PUBSUB_BYTESTREAM_ERROR with the reason. */
int pubsub_tls_stream_handshake(struct pubsub_bytestream *stream, struct pubsub_error *error);

#endif
