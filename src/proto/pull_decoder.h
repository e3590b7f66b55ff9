/*
 * Push decoder of StreamingPullResponse (and PullResponse): any split of the input gives the same
 * rows.
 *
 * A message that is whole in the input is decoded in place: one on_message with views into the
 * input. Of a cut one, small fields are stashed and the payload goes straight to where the sink
 * wants it (reserve_data), so that no payload is copied twice. Pure: no I/O, no clock; the sink is
 * called on the caller's thread.
 */
#ifndef PUBSUB_PROTO_PULL_DECODER_H
#define PUBSUB_PROTO_PULL_DECODER_H

#include "base/bytes.h"

/* One received message. Views are borrowed for the call; absent fields are empty / 0. */
struct pubsub_received {
  struct pubsub_view ack_id;
  struct pubsub_view message_id;
  /* ptr as returned by reserve_data where that was used: bytes are there already */
  struct pubsub_view data;
  struct pubsub_view ordering_key;
  /* in wire order; of duplicate keys the last one only */
  const struct pubsub_attribute *attributes;
  size_t attribute_count;
  int64_t publish_time_us; /* µs since the epoch */
  int32_t delivery_attempt;
};
struct pubsub_subscription_properties {
  bool exactly_once, ordering;
};
struct pubsub_pull_sink {
  /* A whole message. Non-OK (NOMEM) stops the feed. */
  enum pubsub_status (*on_message)(void *user, const struct pubsub_received *message);
  /* Room for the len payload bytes of a cut message, valid until on_message; *out NULL: not wanted,
   * they are skipped. */
  enum pubsub_status (*reserve_data)(void *user, size_t len, uint8_t **out);
  void (*on_properties)(void *user,
                        const struct pubsub_subscription_properties *properties); /* may be NULL */
};

struct pubsub_pull_decoder;
/* max_response_bytes: a longer response is a PROTOCOL error (20 MiB + slack is usual). */
enum pubsub_status pubsub_pull_decoder_new(const struct pubsub_pull_sink *sink, void *user,
                                           size_t max_response_bytes,
                                           struct pubsub_pull_decoder **out);
void pubsub_pull_decoder_destroy(struct pubsub_pull_decoder *decoder);
/* A response of `bytes` bytes begins (any state left from an aborted one is dropped). */
enum pubsub_status pubsub_pull_decoder_begin(struct pubsub_pull_decoder *decoder, size_t bytes,
                                             struct pubsub_error *error);
/* The next piece. After an error only begin or destroy. Errors: PROTOCOL (text says what),
 * NOMEM. */
enum pubsub_status pubsub_pull_decoder_feed(struct pubsub_pull_decoder *decoder,
                                            const uint8_t *data, size_t len,
                                            struct pubsub_error *error);
/* All bytes were fed: PROTOCOL where a field is incomplete. */
enum pubsub_status pubsub_pull_decoder_end(struct pubsub_pull_decoder *decoder,
                                           struct pubsub_error *error);

#endif
