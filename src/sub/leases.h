/*
 * The leases of held chunks: a heap of when to look at which, and the timer of the first. What is
 * to be done is lease.h's to decide and the owner's to do. Loop thread only.
 */
#ifndef PUBSUB_SUB_LEASES_H
#define PUBSUB_SUB_LEASES_H

#include "net/loop.h"
#include "sub/held.h"

struct pubsub_leases {
  struct pubsub_loop *loop;
  uint64_t max_extension_us;
  /* A lease is to be extended (and looked at again in a second, unless it is granted before), or
   * given up (it is forgotten). */
  void (*on_due)(void *user, struct pubsub_held *held, enum pubsub_lease_action action);
  void *user;

  struct pubsub_heap heap; /* of struct pubsub_held.loop.lease_node */
  struct pubsub_timer timer;
};

void pubsub_leases_init(struct pubsub_leases *leases, struct pubsub_loop *loop,
                        uint64_t max_extension_us);
void pubsub_leases_clear(struct pubsub_leases *leases);
/* Watches over the lease of a chunk whose first row arrived at received_us. */
void pubsub_leases_watch(struct pubsub_leases *leases, struct pubsub_held *held,
                         uint64_t received_us, uint64_t deadline_us);
static inline bool pubsub_leases_watches(const struct pubsub_held *held) {
  return pubsub_heap_has(&held->loop.lease_node);
}
void pubsub_leases_forget(struct pubsub_leases *leases, struct pubsub_held *held);
/* An extension is on its way. */
void pubsub_leases_extended(struct pubsub_leases *leases, struct pubsub_held *held,
                            uint64_t deadline_us);
/* A row has a newer ack id, with a lease of its own. */
void pubsub_leases_renewed(struct pubsub_leases *leases, struct pubsub_held *held,
                           uint64_t deadline_us);

#endif
