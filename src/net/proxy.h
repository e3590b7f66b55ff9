/*
 * HTTP proxies, the pure part: what people write about them (a URL, NO_PROXY), and the two messages
 * of a CONNECT tunnel (RFC 9110, 9.3.6). No I/O; tunnel.c does that.
 *
 * A proxy is reached in plaintext; TLS to the service runs through it, end to end, so the proxy
 * sees host and port alone. It also resolves the host's name. User name and password are sent as
 * Basic credentials and appear in no message.
 */
#ifndef PUBSUB_NET_PROXY_H
#define PUBSUB_NET_PROXY_H

#include "base/text.h"
#include <pubsub/error.h>

#define PUBSUB_PROXY_MAX_RESPONSE_BYTES 8192 /* head of the proxy's answer */

#define PUBSUB_PROXY_MAX_USER_BYTES 1024 /* of "user:password" */

struct pubsub_proxy {
  char host[256]; /* "": no proxy */
  uint16_t port;
  /* base64 of "user:password", or ""; a secret */
  char credentials[PUBSUB_BASE64_CHARS(PUBSUB_PROXY_MAX_USER_BYTES + 1) + 1];
};

/* "host:port", "http://user:password@host:port/"; the port is 80 where none is given. Errors:
 * INVALID (the text does not repeat the URL's credentials). */
enum pubsub_status pubsub_proxy_parse(const char *url, struct pubsub_proxy *out,
                                      struct pubsub_error *error);
/* Whether a list as in NO_PROXY names the host: "*", names ("example.com" and ".example.com" with
 * all below them), addresses, address ranges ("10.0.0.0/8", "fd00::/8"), each with ":port" where
 * only that port is meant. */
bool pubsub_proxy_bypassed(const char *no_proxy, const char *host, uint16_t port);
/* "localhost", names below it, and addresses of the loopback. */
bool pubsub_proxy_is_loopback(const char *host);
/* The proxy of an endpoint (host "" where there is none). `option`: what the caller asks for: a URL
 * is used for any endpoint, "" for none; NULL: the environment's https_proxy or HTTPS_PROXY, for
 * TLS to hosts that are neither loopback nor named in no_proxy or NO_PROXY. Errors: INVALID. */
enum pubsub_status pubsub_proxy_choose(const char *option, const char *host, uint16_t port,
                                       bool tls, struct pubsub_proxy *out,
                                       struct pubsub_error *error);

/* The request that asks for a tunnel. Errors: NOMEM. */
enum pubsub_status pubsub_proxy_write_request(const struct pubsub_proxy *proxy, const char *host,
                                              uint16_t port, struct pubsub_buf *out);
/* A whole answer's head, with its empty line. OK: the tunnel stands. Errors: CONNECT, retryable
 * where it may pass by itself. */
enum pubsub_status pubsub_proxy_read_response(struct pubsub_view head, struct pubsub_error *error);

#endif
