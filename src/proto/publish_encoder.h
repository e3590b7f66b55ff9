/*
 * Encodes PubsubMessage fields of a PublishRequest by hand, and checks the service's limits on the
 * way. Pure.
 */
#ifndef PUBSUB_PROTO_PUBLISH_ENCODER_H
#define PUBSUB_PROTO_PUBLISH_ENCODER_H

#include "base/bytes.h"
#include <pubsub/publisher.h>

#define PUBSUB_PUBLISH_MAX_MESSAGES 1000u
#define PUBSUB_PUBLISH_MAX_BYTES 10000000u
#define PUBSUB_PUBLISH_MAX_ATTRIBUTES 100u
#define PUBSUB_PUBLISH_MAX_KEY_BYTES 256u
#define PUBSUB_PUBLISH_MAX_VALUE_BYTES 1024u
#define PUBSUB_PUBLISH_MAX_ORDERING_KEY_BYTES 1024u

/* Checks every limit and UTF-8; on OK *out_bytes = size of the `messages` field (tag and length
 * included) that encode will write. Errors: LIMIT or INVALID; text says what and the limit (the
 * caller adds which row). */
enum pubsub_status pubsub_publish_measure(const struct pubsub_message *message, size_t *out_bytes,
                                          struct pubsub_error *error);
/* That size alone, of a message that was measured before. */
size_t pubsub_publish_field_bytes(const struct pubsub_message *message);
/* Appends that field to buf, which must have measure's bytes reserved; returns the end. */
uint8_t *pubsub_publish_encode(const struct pubsub_message *message, uint8_t *out);
/* The request's head: field 1 (topic). */
enum pubsub_status pubsub_publish_encode_topic(struct pubsub_buf *buf, struct pubsub_view topic);
/* Ids of a PublishResponse, in order: calls on_id for each. Errors: PROTOCOL. */
enum pubsub_status pubsub_publish_decode_ids(struct pubsub_view response,
                                             void (*on_id)(void *user, struct pubsub_view id),
                                             void *user);

#endif
