/* Asks the proxy on a byte stream for a tunnel. Loop thread only; dial.c drives it by the stream's
 * events. */
#ifndef PUBSUB_NET_TUNNEL_H
#define PUBSUB_NET_TUNNEL_H

#include "net/bytestream.h"
#include "net/proxy.h"

struct pubsub_tunnel {
  struct pubsub_buf request; /* wiped when freed: it has the credentials */
  size_t sent;
  uint8_t head[PUBSUB_PROXY_MAX_RESPONSE_BYTES]; /* of the answer, as far as it came */
  size_t head_len;
};

/* Errors: NOMEM. */
enum pubsub_status pubsub_tunnel_init(struct pubsub_tunnel *tunnel,
                                      const struct pubsub_proxy *proxy, const char *host,
                                      uint16_t port);
/* As pubsub_tls_stream_handshake: 1: the tunnel stands and not a byte behind the answer's head was
 * read; PUBSUB_BYTESTREAM_AGAIN: call again on the stream's next event; PUBSUB_BYTESTREAM_ERROR
 * with the reason. */
int pubsub_tunnel_step(struct pubsub_tunnel *tunnel, struct pubsub_bytestream *stream,
                       struct pubsub_error *error);
void pubsub_tunnel_clear(struct pubsub_tunnel *tunnel);

#endif
