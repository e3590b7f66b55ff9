/* Exponential backoff with jitter: pure, on the caller's clock and generator. */
#ifndef PUBSUB_GRPC_BACKOFF_H
#define PUBSUB_GRPC_BACKOFF_H

#include "base/rng.h"

struct pubsub_backoff {
  uint64_t initial_us, max_us; /* of the first delay, of all */
  uint32_t attempts;           /* failures since the last reset */
};
void pubsub_backoff_init(struct pubsub_backoff *backoff, uint64_t initial_us, uint64_t max_us);
void pubsub_backoff_reset(struct pubsub_backoff *backoff);
/* Delay before the next attempt: uniform in [base, 1.25 * base], base = initial * 2^attempts; at
 * most max. */
uint64_t pubsub_backoff_next_us(struct pubsub_backoff *backoff, struct pubsub_rng *rng);

#endif
