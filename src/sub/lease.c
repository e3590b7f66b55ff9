#include "sub/lease.h"

#define SHORTEST_MARGIN_US 5000000

void pubsub_lease_start(struct pubsub_lease *lease, uint64_t received_us, uint64_t deadline_us) {
  *lease = (struct pubsub_lease){received_us, received_us, deadline_us, received_us + deadline_us};
}

uint64_t pubsub_lease_due_us(const struct pubsub_lease *lease, uint64_t max_extension_us) {
  uint64_t margin = lease->deadline_us / 3, last = lease->received_us + max_extension_us;
  if (margin < SHORTEST_MARGIN_US) margin = SHORTEST_MARGIN_US;
  if (margin > lease->deadline_us / 2) margin = lease->deadline_us / 2;
  uint64_t due = pubsub_lease_end_us(lease) - margin;
  return due < last ? due : last;
}

enum pubsub_lease_action pubsub_lease_check(const struct pubsub_lease *lease,
                                            uint64_t max_extension_us, uint64_t now_us) {
  if (now_us < pubsub_lease_due_us(lease, max_extension_us)) return PUBSUB_LEASE_KEEP;
  return now_us >= lease->received_us + max_extension_us ? PUBSUB_LEASE_GIVE_UP
                                                         : PUBSUB_LEASE_EXTEND;
}

void pubsub_lease_extend(struct pubsub_lease *lease, uint64_t now_us, uint64_t deadline_us) {
  lease->granted_us = now_us;
  lease->deadline_us = deadline_us;
}

void pubsub_lease_confirm(struct pubsub_lease *lease) {
  lease->sure_us = pubsub_lease_end_us(lease);
}

void pubsub_lease_shorten(struct pubsub_lease *lease, uint64_t now_us, uint64_t deadline_us) {
  if (now_us + deadline_us < pubsub_lease_end_us(lease)) {
    pubsub_lease_extend(lease, now_us, deadline_us);
  }
}
