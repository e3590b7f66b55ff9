/* splitmix64: one word of state, equally good from any seed. */
#include "base/rng.h"

#include "base/clock.h"
#include <stddef.h>
#include <sys/random.h>
#include <unistd.h>
#if defined(__APPLE__)
#define GRND_NONBLOCK 0
#define getrandom(at, len, flags) (getentropy(at, len) == 0 ? (ssize_t)(len) : -1)
#elif defined(__GLIBC__)
#if !__GLIBC_PREREQ(2, 25) /* the kernel may have it */
#include <sys/syscall.h>
#define getrandom(at, len, flags) syscall(SYS_getrandom, at, len, flags)
#endif
#endif

void pubsub_rng_seed(struct pubsub_rng *rng, uint64_t seed) {
  rng->state = seed;
}

void pubsub_rng_seed_random(struct pubsub_rng *rng) {
  uint64_t seed;
  if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed) {
    seed = pubsub_clock_now_us() ^ (uint64_t)(uintptr_t)rng;
  }
  pubsub_rng_seed(rng, seed);
}

uint64_t pubsub_rng_next(struct pubsub_rng *rng) {
  uint64_t z = (rng->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

uint64_t pubsub_rng_below(struct pubsub_rng *rng, uint64_t bound) {
  return (uint64_t)(((__uint128_t)pubsub_rng_next(rng) * bound) >> 64);
}

double pubsub_rng_unit(struct pubsub_rng *rng) {
  return (double)(pubsub_rng_next(rng) >> 11) * 0x1.0p-53;
}
