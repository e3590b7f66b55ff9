#include "grpc/frame.h"

void pubsub_frame_parser_init(struct pubsub_frame_parser *parser, size_t max_bytes) {
  *parser = (struct pubsub_frame_parser){.max_bytes = max_bytes};
}

static enum pubsub_status begin(struct pubsub_frame_parser *parser,
                                const struct pubsub_frame_handler *handler, void *user) {
  const uint8_t *prefix = parser->prefix;
  parser->left = (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 |
                 (size_t)prefix[4];
  if (prefix[0] > 1 || parser->left > parser->max_bytes) return PUBSUB_E_PROTOCOL;
  return handler->on_begin(user, parser->left, prefix[0] == 1);
}

enum pubsub_status pubsub_frame_parser_feed(struct pubsub_frame_parser *parser,
                                            const struct pubsub_frame_handler *handler, void *user,
                                            const uint8_t *data, size_t len) {
  enum pubsub_status status;
  while (len > 0 || (parser->prefix_len == PUBSUB_FRAME_PREFIX_BYTES && parser->left == 0)) {
    if (parser->prefix_len < PUBSUB_FRAME_PREFIX_BYTES) {
      parser->prefix[parser->prefix_len++] = *data++;
      len--;
      if (parser->prefix_len == PUBSUB_FRAME_PREFIX_BYTES) {
        if ((status = begin(parser, handler, user)) != PUBSUB_OK) return status;
      }
      continue;
    }
    size_t part = len < parser->left ? len : parser->left;
    if (part > 0 && (status = handler->on_data(user, data, part)) != PUBSUB_OK) return status;
    data += part;
    len -= part;
    parser->left -= part;
    if (parser->left == 0) {
      parser->prefix_len = 0;
      if ((status = handler->on_end(user)) != PUBSUB_OK) return status;
    }
  }
  return PUBSUB_OK;
}

bool pubsub_frame_parser_at_boundary(const struct pubsub_frame_parser *parser) {
  return parser->prefix_len == 0;
}

void pubsub_frame_prefix_write(uint8_t out[PUBSUB_FRAME_PREFIX_BYTES], size_t message_bytes,
                               bool compressed) {
  out[0] = compressed;
  out[1] = (uint8_t)(message_bytes >> 24);
  out[2] = (uint8_t)(message_bytes >> 16);
  out[3] = (uint8_t)(message_bytes >> 8);
  out[4] = (uint8_t)message_bytes;
}
