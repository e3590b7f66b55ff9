/* A seeded generator for one thread (splitmix64): a run with the same seed makes the same
 * choices. */
#ifndef STRESS_CHANCE_H
#define STRESS_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
  uint64_t state;
};

static inline uint64_t chance_next(struct chance *chance) {
  uint64_t z = chance->state += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

/* 0 .. below - 1 */
static inline uint32_t chance_below(struct chance *chance, uint32_t below) {
  return (uint32_t)(chance_next(chance) % below);
}

static inline bool one_in(struct chance *chance, uint32_t n) {
  return chance_below(chance, n) == 0;
}

#endif
