#include "sub/leases.h"

#include "base/map.h"

#define LOOK_AGAIN_US 1000000

static void schedule(struct pubsub_leases *leases) {
  struct pubsub_heap_node *first = pubsub_heap_top(&leases->heap);
  if (first) {
    pubsub_loop_timer_set(leases->loop, &leases->timer, first->due);
  } else {
    pubsub_loop_timer_cancel(leases->loop, &leases->timer);
  }
}

static void look_at(struct pubsub_leases *leases, struct pubsub_held *held) {
  uint64_t due = pubsub_lease_due_us(&held->loop.lease, leases->max_extension_us);
  pubsub_heap_set(&leases->heap, &held->loop.lease_node, due);
  if (!pubsub_timer_is_set(&leases->timer) || leases->timer.node.due > due) schedule(leases);
}

static void look_after(struct pubsub_leases *leases, struct pubsub_held *held, uint64_t now) {
  enum pubsub_lease_action action =
      pubsub_lease_check(&held->loop.lease, leases->max_extension_us, now);
  if (action == PUBSUB_LEASE_KEEP) {
    look_at(leases, held);
    return;
  }
  if (action == PUBSUB_LEASE_GIVE_UP) {
    pubsub_heap_remove(&leases->heap, &held->loop.lease_node);
  } else {
    pubsub_heap_set(&leases->heap, &held->loop.lease_node, now + LOOK_AGAIN_US);
  }
  leases->on_due(leases->user, held, action);
}

static void on_timer(struct pubsub_timer *timer) {
  struct pubsub_leases *leases = PUBSUB_CONTAINER_OF(timer, struct pubsub_leases, timer);
  uint64_t now = pubsub_loop_now_us(leases->loop);
  struct pubsub_heap_node *first;
  while ((first = pubsub_heap_top(&leases->heap)) && first->due <= now)
    look_after(leases, PUBSUB_CONTAINER_OF(first, struct pubsub_held, loop.lease_node), now);
  schedule(leases);
}

void pubsub_leases_init(struct pubsub_leases *leases, struct pubsub_loop *loop,
                        uint64_t max_extension_us) {
  leases->loop = loop;
  leases->max_extension_us = max_extension_us;
  leases->timer.run = on_timer;
}

void pubsub_leases_clear(struct pubsub_leases *leases) {
  if (!leases->loop) return;
  pubsub_loop_timer_cancel(leases->loop, &leases->timer);
  pubsub_heap_clear(&leases->heap);
}

void pubsub_leases_watch(struct pubsub_leases *leases, struct pubsub_held *held,
                         uint64_t received_us, uint64_t deadline_us) {
  PUBSUB_ON_LOOP(leases->loop);
  pubsub_lease_start(&held->loop.lease, received_us, deadline_us);
  look_at(leases, held);
}

void pubsub_leases_forget(struct pubsub_leases *leases, struct pubsub_held *held) {
  pubsub_heap_remove(&leases->heap, &held->loop.lease_node);
}

void pubsub_leases_extended(struct pubsub_leases *leases, struct pubsub_held *held,
                            uint64_t deadline_us) {
  PUBSUB_ON_LOOP(leases->loop);
  pubsub_lease_extend(&held->loop.lease, pubsub_loop_now_us(leases->loop), deadline_us);
  look_at(leases, held);
}

void pubsub_leases_renewed(struct pubsub_leases *leases, struct pubsub_held *held,
                           uint64_t deadline_us) {
  if (!pubsub_leases_watches(held)) return;
  pubsub_lease_shorten(&held->loop.lease, pubsub_loop_now_us(leases->loop), deadline_us);
  uint64_t due = pubsub_lease_due_us(&held->loop.lease, leases->max_extension_us);
  if (due < held->loop.lease_node.due) look_at(leases, held);
}
