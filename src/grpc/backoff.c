#include "grpc/backoff.h"

void pubsub_backoff_init(struct pubsub_backoff *backoff, uint64_t initial_us, uint64_t max_us) {
  *backoff = (struct pubsub_backoff){.initial_us = initial_us, .max_us = max_us};
}

void pubsub_backoff_reset(struct pubsub_backoff *backoff) {
  backoff->attempts = 0;
}

uint64_t pubsub_backoff_next_us(struct pubsub_backoff *backoff, struct pubsub_rng *rng) {
  uint64_t base = backoff->initial_us;
  for (uint32_t i = 0; i < backoff->attempts && base < backoff->max_us; i++)
    base *= 2;
  if (base > backoff->max_us) base = backoff->max_us;
  backoff->attempts++;
  uint64_t delay = base + pubsub_rng_below(rng, base / 4 + 1);
  return delay < backoff->max_us ? delay : backoff->max_us;
}
