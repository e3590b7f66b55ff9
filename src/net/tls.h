/*
 * What all TLS streams of a client or a server share: certificates, protocol versions, ALPN "h2".
 * Made once, on any thread, and read-only from then on; outlives the channels or listeners that use
 * it.
 */
#ifndef PUBSUB_NET_TLS_H
#define PUBSUB_NET_TLS_H

#include <pubsub/error.h>

struct pubsub_tls_context;
/* Verifies chain and host name; TLS 1.2 or newer. ca_file NULL: the system's store. Errors: TLS
 * (the file cannot be read), NOMEM. */
enum pubsub_status pubsub_tls_context_new_client(const char *ca_file,
                                                 struct pubsub_tls_context **out,
                                                 struct pubsub_error *error);
/* Before its first use: for HTTP/1.1 instead of HTTP/2. Errors: NOMEM. */
enum pubsub_status pubsub_tls_context_use_http1(struct pubsub_tls_context *context,
                                                struct pubsub_error *error);
/* For the emulator and tests: certificate chain and key, PEM files. */
enum pubsub_status pubsub_tls_context_new_server(const char *certificate_file, const char *key_file,
                                                 struct pubsub_tls_context **out,
                                                 struct pubsub_error *error);
void pubsub_tls_context_destroy(struct pubsub_tls_context *context); /* NULL is allowed */
/* OpenSSL's name, version and date; static. */
const char *pubsub_tls_library(void);

#endif
