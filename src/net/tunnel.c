#include "net/tunnel.h"

#include "base/error.h"

enum pubsub_status pubsub_tunnel_init(struct pubsub_tunnel *tunnel,
                                      const struct pubsub_proxy *proxy, const char *host,
                                      uint16_t port) {
  *tunnel = (struct pubsub_tunnel){0};
  return pubsub_proxy_write_request(proxy, host, port, &tunnel->request);
}

static int send_request(struct pubsub_tunnel *tunnel, struct pubsub_bytestream *stream,
                        struct pubsub_error *error) {
  while (tunnel->sent < tunnel->request.len) {
    struct iovec part = {tunnel->request.ptr + tunnel->sent, tunnel->request.len - tunnel->sent};
    ssize_t put = stream->ops->writev(stream, &part, 1, error);
    if (put == PUBSUB_BYTESTREAM_AGAIN) {
      stream->ops->set_interest(stream, PUBSUB_IO_READ | PUBSUB_IO_WRITE);
      return PUBSUB_BYTESTREAM_AGAIN;
    }
    if (put < 0) return PUBSUB_BYTESTREAM_ERROR;
    tunnel->sent += (size_t)put;
  }
  stream->ops->set_interest(stream, PUBSUB_IO_READ);
  return 1;
}

static bool head_is_whole(const struct pubsub_tunnel *tunnel) {
  return tunnel->head_len >= 4 && memcmp(tunnel->head + tunnel->head_len - 4, "\r\n\r\n", 4) == 0;
}

int pubsub_tunnel_step(struct pubsub_tunnel *tunnel, struct pubsub_bytestream *stream,
                       struct pubsub_error *error) {
  int sent = send_request(tunnel, stream, error);
  if (sent != 1) return sent;
  while (!head_is_whole(tunnel)) {
    if (tunnel->head_len == sizeof tunnel->head) {
      pubsub_error_set(error, PUBSUB_E_CONNECT, "the proxy's answer does not end");
      return PUBSUB_BYTESTREAM_ERROR;
    }
    /* Byte by byte, once a connection: what follows the head belongs to the service. */
    ssize_t got = stream->ops->read(stream, tunnel->head + tunnel->head_len, 1, error);
    if (got == PUBSUB_BYTESTREAM_AGAIN) return PUBSUB_BYTESTREAM_AGAIN;
    if (got == PUBSUB_BYTESTREAM_EOF) {
      pubsub_error_set(error, PUBSUB_E_CONNECT, "the proxy closed the connection");
    }
    if (got <= 0) return PUBSUB_BYTESTREAM_ERROR;
    tunnel->head_len++;
  }
  struct pubsub_view head = pubsub_view_of(tunnel->head, tunnel->head_len);
  return pubsub_proxy_read_response(head, error) == PUBSUB_OK ? 1 : PUBSUB_BYTESTREAM_ERROR;
}

void pubsub_tunnel_clear(struct pubsub_tunnel *tunnel) {
  pubsub_buf_wipe(&tunnel->request);
}
