/*
 * What to do with a Publish request that failed: send the same bytes again after a pause, or give
 * up.
 *
 * Retried: what passes by itself: a lost or refused connection, a deadline, an answer that makes no
 * sense, and ABORTED, CANCELLED, DEADLINE_EXCEEDED, INTERNAL, RESOURCE_EXHAUSTED, UNKNOWN,
 * UNAVAILABLE. An UNAUTHENTICATED is tried a few times more, so that whoever owns the token can
 * hand over a fresh one. Everything else is permanent at once. Pauses start at initial_backoff,
 * double up to max_backoff, and are jittered; the sum is bounded by total_timeout, counted from the
 * request's first send, not from when its messages were queued.
 *
 * Pure: it is told the time and given the generator. One struct a request; used by sender.c.
 */
#ifndef PUBSUB_PUB_RETRY_H
#define PUBSUB_PUB_RETRY_H

#include "base/bytes.h"
#include "grpc/backoff.h"
#include "grpc/explain.h"

struct pubsub_retry_limits {
  uint64_t initial_backoff_us, max_backoff_us;
  uint64_t total_timeout_us; /* from the first send */
  uint64_t call_timeout_us;  /* of one attempt; less where less of the total is left */
};

struct pubsub_retry {
  struct pubsub_backoff backoff;
  uint64_t first_send_us; /* valid while `sent` */
  uint32_t unauthenticated;
  bool sent;
};

void pubsub_retry_init(struct pubsub_retry *retry, const struct pubsub_retry_limits *limits);
/* An attempt starts now: its timeout, > 0. */
uint64_t pubsub_retry_attempt_us(struct pubsub_retry *retry,
                                 const struct pubsub_retry_limits *limits, uint64_t now_us);
/* The attempt failed. True: send again after *out_delay_us. False: give up. */
bool pubsub_retry_again(struct pubsub_retry *retry, const struct pubsub_retry_limits *limits,
                        const struct pubsub_error *why, uint64_t now_us, struct pubsub_rng *rng,
                        uint64_t *out_delay_us);

/* The error a caller gets for a request that was given up: what the service or the network said,
 * with the topic's name and what the reader can do about it. */
void pubsub_retry_explain(const struct pubsub_retry *retry, const struct pubsub_error *why,
                          const struct pubsub_subject *topic, uint64_t now_us,
                          struct pubsub_error *out);

#endif
