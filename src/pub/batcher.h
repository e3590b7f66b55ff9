/*
 * When is a Publish request full, and when is an unfilled one due? The service takes at most 1000
 * messages and 10,000,000 bytes a request, topic and framing counted; the user may ask for less,
 * and says how long an unfilled request may wait (linger).
 *
 * Owns nothing and does no I/O: it is handed sizes and the time. Used by publisher.c under its
 * mutex. A message that is larger than the user's byte limit, but not than the service's, goes
 * alone.
 */
#ifndef PUBSUB_PUB_BATCHER_H
#define PUBSUB_PUB_BATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pubsub_batcher_limits {
  uint32_t max_messages; /* 1..1000 */
  size_t max_bytes;      /* of the encoded request; up to 10,000,000 */
  size_t head_bytes;     /* of each request before its first message: the topic field */
  uint64_t linger_us;    /* from a request's first message until it is due */
};

/* What is in the request being filled. Zero-initialised is empty. */
struct pubsub_batcher {
  uint32_t messages;
  size_t message_bytes; /* encoded, their tags and lengths included, the head not */
  uint64_t opened_us;   /* when the first message came; meaningless while empty */
};

/* True: the message goes into this request. False: seal this one first; an empty request takes
 * any. */
bool pubsub_batcher_fits(const struct pubsub_batcher_limits *limits,
                         const struct pubsub_batcher *batcher, size_t message_bytes);
void pubsub_batcher_add(struct pubsub_batcher *batcher, size_t message_bytes, uint64_t now_us);
/* No further message of whatever size can go in: seal without waiting for the next one. */
bool pubsub_batcher_full(const struct pubsub_batcher_limits *limits,
                         const struct pubsub_batcher *batcher);
/* When it is to be sent though not full; UINT64_MAX while empty. */
uint64_t pubsub_batcher_due_us(const struct pubsub_batcher_limits *limits,
                               const struct pubsub_batcher *batcher);
/* Whether a message could be sent at all: alone in a request of the service's largest size. */
bool pubsub_batcher_sendable(const struct pubsub_batcher_limits *limits, size_t message_bytes);

#endif
