#include "base/clock.h"

#include <time.h>

static uint64_t read_us(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

uint64_t pubsub_clock_now_us(void) {
  return read_us(CLOCK_MONOTONIC);
}

int64_t pubsub_clock_wall_us(void) {
  return (int64_t)read_us(CLOCK_REALTIME);
}
