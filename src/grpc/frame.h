/*
 * gRPC's length-prefixed messages: one flag byte, four length bytes (big-endian), the message.
 * A pure push parser: any split of the input gives the same events. Used by client and emulator.
 */
#ifndef PUBSUB_GRPC_FRAME_H
#define PUBSUB_GRPC_FRAME_H

#include "base/bytes.h"

#define PUBSUB_FRAME_PREFIX_BYTES 5

/* Each returns OK to go on; another status stops the feed and is returned by it. */
struct pubsub_frame_handler {
  enum pubsub_status (*on_begin)(void *user, size_t message_bytes, bool compressed);
  enum pubsub_status (*on_data)(void *user, const uint8_t *data, size_t len); /* borrowed */
  enum pubsub_status (*on_end)(void *user);
};
struct pubsub_frame_parser {
  uint8_t prefix[PUBSUB_FRAME_PREFIX_BYTES];
  size_t prefix_len; /* bytes of the prefix seen, 5 inside a message */
  size_t left;       /* bytes of the message still to come */
  size_t max_bytes;  /* longer messages are a PROTOCOL error */
};
void pubsub_frame_parser_init(struct pubsub_frame_parser *parser, size_t max_bytes);
enum pubsub_status pubsub_frame_parser_feed(struct pubsub_frame_parser *parser,
                                            const struct pubsub_frame_handler *handler, void *user,
                                            const uint8_t *data, size_t len);
/* True between messages: the only place where a stream may end. */
bool pubsub_frame_parser_at_boundary(const struct pubsub_frame_parser *parser);
void pubsub_frame_prefix_write(uint8_t out[PUBSUB_FRAME_PREFIX_BYTES], size_t message_bytes,
                               bool compressed);

#endif
