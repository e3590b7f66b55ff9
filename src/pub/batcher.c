#include "pub/batcher.h"
#include "proto/publish_encoder.h"

/* A message field costs its tag, a length and at least one byte of data or attributes. */
#define SMALLEST_MESSAGE_BYTES 4u

static size_t request_bytes(const struct pubsub_batcher_limits *limits,
                            const struct pubsub_batcher *batcher) {
  return limits->head_bytes + batcher->message_bytes;
}

bool pubsub_batcher_fits(const struct pubsub_batcher_limits *limits,
                         const struct pubsub_batcher *batcher, size_t message_bytes) {
  if (batcher->messages == 0) return true;
  if (batcher->messages >= limits->max_messages) return false;
  size_t used = request_bytes(limits, batcher);
  return used <= limits->max_bytes && message_bytes <= limits->max_bytes - used;
}

void pubsub_batcher_add(struct pubsub_batcher *batcher, size_t message_bytes, uint64_t now_us) {
  if (batcher->messages == 0) batcher->opened_us = now_us;
  batcher->messages++;
  batcher->message_bytes += message_bytes;
}

bool pubsub_batcher_full(const struct pubsub_batcher_limits *limits,
                         const struct pubsub_batcher *batcher) {
  return batcher->messages >= limits->max_messages ||
         (batcher->messages > 0 &&
          request_bytes(limits, batcher) + SMALLEST_MESSAGE_BYTES > limits->max_bytes);
}

uint64_t pubsub_batcher_due_us(const struct pubsub_batcher_limits *limits,
                               const struct pubsub_batcher *batcher) {
  return batcher->messages == 0 ? UINT64_MAX : batcher->opened_us + limits->linger_us;
}

bool pubsub_batcher_sendable(const struct pubsub_batcher_limits *limits, size_t message_bytes) {
  return limits->head_bytes <= PUBSUB_PUBLISH_MAX_BYTES &&
         message_bytes <= PUBSUB_PUBLISH_MAX_BYTES - limits->head_bytes;
}
