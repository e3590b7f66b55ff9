/*
 * When is a chunk's lease to be extended, and when is it given up? All rows of a chunk share one
 * lease, counted from the arrival of its first row. Pure: times are µs on the caller's clock.
 *
 * The first lease is granted by the stream's own deadline: an ordinary subscription needs no
 * receipt. Later ones ask for what ack_latency.h says. An extension that is on its way counts for
 * when to look next; whether the lease has ended, only one that is confirmed decides.
 */
#ifndef PUBSUB_SUB_LEASE_H
#define PUBSUB_SUB_LEASE_H

#include <stdbool.h>
#include <stdint.h>

struct pubsub_lease {
  uint64_t received_us; /* arrival of the first row */
  uint64_t granted_us;  /* when the deadline began to run last */
  uint64_t deadline_us; /* how long it runs */
  uint64_t sure_us;     /* it runs until then at least: what was granted since is not confirmed */
};
enum pubsub_lease_action { PUBSUB_LEASE_KEEP, PUBSUB_LEASE_EXTEND, PUBSUB_LEASE_GIVE_UP };

void pubsub_lease_start(struct pubsub_lease *lease, uint64_t received_us, uint64_t deadline_us);
/* When to look at it next: a third of the deadline, at least 5 s, before it runs out; half of it
 * where it is short. Never after max_extension_us from arrival, when it is given up. */
uint64_t pubsub_lease_due_us(const struct pubsub_lease *lease, uint64_t max_extension_us);
enum pubsub_lease_action pubsub_lease_check(const struct pubsub_lease *lease,
                                            uint64_t max_extension_us, uint64_t now_us);
/* An extension is on its way. */
void pubsub_lease_extend(struct pubsub_lease *lease, uint64_t now_us, uint64_t deadline_us);
/* The extension that was sent last has arrived. */
void pubsub_lease_confirm(struct pubsub_lease *lease);
/* Nothing that is confirmed holds it any more: the service delivers the messages again. */
static inline bool pubsub_lease_has_ended(const struct pubsub_lease *lease, uint64_t now_us) {
  return now_us >= lease->sure_us;
}
/* A row came anew, with a lease of its own: the chunk's ends no later. */
void pubsub_lease_shorten(struct pubsub_lease *lease, uint64_t now_us, uint64_t deadline_us);
static inline uint64_t pubsub_lease_end_us(const struct pubsub_lease *lease) {
  return lease->granted_us + lease->deadline_us;
}

#endif
