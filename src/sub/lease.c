#include "sub/lease.h"

#define SHORTEST_MARGIN_US 5000000

void pubsub_lease_start(struct pubsub_lease *lease, uint64_t received_us) {
  lease->received_us = lease->granted_us = received_us;
}

uint64_t pubsub_lease_due_us(const struct pubsub_lease_limits *limits,
                             const struct pubsub_lease *lease) {
  uint64_t margin = limits->deadline_us / 3;
  if (margin < SHORTEST_MARGIN_US) margin = SHORTEST_MARGIN_US;
  if (margin > limits->deadline_us / 2) margin = limits->deadline_us / 2;
  return lease->granted_us + limits->deadline_us - margin;
}

enum pubsub_lease_action pubsub_lease_check(const struct pubsub_lease_limits *limits,
                                            struct pubsub_lease *lease, uint64_t now_us) {
  if (now_us < pubsub_lease_due_us(limits, lease)) return PUBSUB_LEASE_KEEP;
  if (now_us - lease->received_us >= limits->max_extension_us) return PUBSUB_LEASE_GIVE_UP;
  lease->granted_us = now_us;
  return PUBSUB_LEASE_EXTEND;
}
