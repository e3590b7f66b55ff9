#include "sub/ack_latency.h"

#define AGE_US UINT64_C(600000000)
#define ENOUGH_ROWS 1000
#define LEAST_S 10u
#define LEAST_EXACTLY_ONCE_S 60u

static void age(struct pubsub_ack_latency *latency, uint64_t now_us) {
  if (latency->aged_us == 0) latency->aged_us = now_us;
  if (now_us < latency->aged_us + AGE_US) return;
  latency->aged_us = now_us;
  latency->total = 0;
  for (uint32_t i = 0; i <= PUBSUB_ACK_LATENCY_SECONDS; i++) {
    latency->rows[i] /= 2;
    latency->total += latency->rows[i];
  }
}

static uint32_t seconds_of(uint64_t us) {
  uint64_t seconds = (us + 999999) / 1000000;
  return seconds < PUBSUB_ACK_LATENCY_SECONDS ? (uint32_t)seconds : PUBSUB_ACK_LATENCY_SECONDS;
}

void pubsub_ack_latency_add(struct pubsub_ack_latency *latency, uint64_t held_us, uint32_t rows,
                            uint64_t now_us) {
  age(latency, now_us);
  latency->rows[seconds_of(held_us)] += rows;
  latency->total += rows;
}

/* Seconds within which 99 % of the rows were settled, 1..600; 0: too few rows yet to tell. */
static uint32_t p99_s(const struct pubsub_ack_latency *latency) {
  if (latency->total < ENOUGH_ROWS) return 0;
  uint64_t enough = latency->total - latency->total / 100, seen = 0;
  uint32_t seconds = 0;
  while (seconds < PUBSUB_ACK_LATENCY_SECONDS && (seen += latency->rows[seconds]) < enough)
    seconds++;
  return seconds > 0 ? seconds : 1;
}

uint32_t pubsub_ack_latency_deadline_s(const struct pubsub_ack_latency *latency, uint64_t held_us,
                                       uint32_t default_s, bool exactly_once) {
  uint32_t deadline = p99_s(latency);
  uint32_t age_s = seconds_of(held_us), least = exactly_once ? LEAST_EXACTLY_ONCE_S : LEAST_S;
  if (deadline == 0) deadline = default_s;
  if (age_s > default_s) age_s = default_s;
  if (deadline < age_s) deadline = age_s;
  if (deadline < least) deadline = least;
  return deadline < PUBSUB_ACK_LATENCY_SECONDS ? deadline : PUBSUB_ACK_LATENCY_SECONDS;
}
