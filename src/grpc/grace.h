/*
 * Time for what has worked: an endpoint whose certificate is bad since a moment, a subscription
 * that is gone since a moment, may be well again (a rotation, a redeployment). Failures within 60 s
 * of each other are one trouble, and a trouble has 30 s to pass. Pure.
 *
 *   fine ── failure ──▶ in trouble ── failures, up to 30 s after the first: grace ──▶ no grace
 *     ▲                     │  ▲                                                        │
 *     └────── success ──────┘  └──────── no failure for 60 s: a new trouble ────────────┘
 */
#ifndef PUBSUB_GRPC_GRACE_H
#define PUBSUB_GRPC_GRACE_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed: fine. */
struct pubsub_grace {
  bool in_trouble;
  uint64_t since_us, last_us; /* the first and the last failure of the trouble */
};

/* A failure now. True: its trouble may still pass. */
bool pubsub_grace_allows(struct pubsub_grace *grace, uint64_t now_us);
/* It has worked. */
void pubsub_grace_reset(struct pubsub_grace *grace);

#endif
