#include "grpc/backoff.h"

void pubsub_backoff_init(struct pubsub_backoff *backoff, uint64_t initial_us, uint64_t max_us) {
  *backoff = (struct pubsub_backoff){.initial_us = initial_us, .max_us = max_us};
}

void pubsub_backoff_reset(struct pubsub_backoff *backoff) {
  backoff->attempts = 0;
}

uint64_t pubsub_backoff_next_us(struct pubsub_backoff *backoff, struct pubsub_rng *rng) {
  uint64_t ceiling = backoff->initial_us;
  for (uint32_t i = 0; i < backoff->attempts && ceiling < backoff->max_us; i++)
    ceiling *= 2;
  if (ceiling > backoff->max_us) ceiling = backoff->max_us;
  backoff->attempts++;
  return ceiling - pubsub_rng_below(rng, ceiling / 2 + 1);
}
