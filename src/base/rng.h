/* A small seeded generator (not for secrets): jitter, client ids, fault injection that repeats. */
#ifndef PUBSUB_BASE_RNG_H
#define PUBSUB_BASE_RNG_H

#include <stdint.h>

struct pubsub_rng {
  uint64_t state;
};
void pubsub_rng_seed(struct pubsub_rng *rng, uint64_t seed);
void pubsub_rng_seed_random(struct pubsub_rng *rng); /* from the kernel */
uint64_t pubsub_rng_next(struct pubsub_rng *rng);
uint64_t pubsub_rng_below(struct pubsub_rng *rng,
                          uint64_t bound);      /* uniform in [0, bound); bound > 0 */
double pubsub_rng_unit(struct pubsub_rng *rng); /* [0, 1) */

#endif
