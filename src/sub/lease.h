/*
 * When is a chunk's lease to be extended, and when is it given up? All rows of a chunk share one lease, counted from the
 * arrival of its first row. Pure: times are µs on the caller's clock.
 */
#ifndef PUBSUB_SUB_LEASE_H
#define PUBSUB_SUB_LEASE_H

#include <stdbool.h>
#include <stdint.h>

struct pubsub_lease_limits {
  uint64_t deadline_us;      /* what the service was told */
  uint64_t max_extension_us; /* give up so long after arrival */
};
struct pubsub_lease {
  uint64_t received_us; /* arrival of the first row */
  uint64_t granted_us;  /* when the deadline began to run last */
};
enum pubsub_lease_action { PUBSUB_LEASE_KEEP, PUBSUB_LEASE_EXTEND, PUBSUB_LEASE_GIVE_UP };

void pubsub_lease_start(struct pubsub_lease *lease, uint64_t received_us);
/* When to look at it next: a third of the deadline, at least 5 s, before it runs out; half of it where it is short. */
uint64_t pubsub_lease_due_us(const struct pubsub_lease_limits *limits,
                             const struct pubsub_lease *lease);
/* EXTEND counts as granted from now on. */
enum pubsub_lease_action pubsub_lease_check(const struct pubsub_lease_limits *limits,
                                            struct pubsub_lease *lease, uint64_t now_us);

#endif
