#include "sub/settler_inside.h"

#include "base/map.h"

#define LOOK_AGAIN_US 1000000

static void schedule_leases(struct pubsub_settler *settler) {
  struct pubsub_heap_node *first = pubsub_heap_top(&settler->leases);
  if (first) {
    pubsub_loop_timer_set(pubsub_settler_loop(settler), &settler->lease_timer, first->due);
  } else {
    pubsub_loop_timer_cancel(pubsub_settler_loop(settler), &settler->lease_timer);
  }
}

void pubsub_settler_look_at(struct pubsub_settler *settler, struct pubsub_held *held,
                            uint64_t due) {
  pubsub_heap_set(&settler->leases, &held->lease_node, due);
  if (!pubsub_timer_is_set(&settler->lease_timer) || settler->lease_timer.node.due > due) {
    schedule_leases(settler);
  }
}

static void give_up(struct pubsub_settler *settler, struct pubsub_held *held) {
  bool receipt = held->receipt;
  pubsub_heap_remove(&settler->leases, &held->lease_node);
  held->expired = true;
  if (receipt) held->drop_all = true;
  pubsub_settler_stop_extending(settler, held);
  settler->on_expired(settler->user, held);
  if (receipt && !held->extending.active) {
    held->receipt = false;
    settler->on_receipt(settler->user, held);
  }
}

static void look_after(struct pubsub_settler *settler, struct pubsub_held *held, uint64_t now) {
  struct pubsub_pass *pass = &held->extending;
  enum pubsub_lease_action action =
      pubsub_lease_check(&held->lease, settler->max_extension_us, now);
  if (action == PUBSUB_LEASE_GIVE_UP) {
    give_up(settler, held);
    return;
  }
  uint64_t due = pubsub_lease_due_us(&held->lease, settler->max_extension_us);
  if (action == PUBSUB_LEASE_EXTEND) {
    due = now + LOOK_AGAIN_US; /* unless it is granted before */
    if (pass->active && pubsub_heap_has(&pass->retry)) {
      /* Some rows wait for their turn: all need it now. */
      uint64_t began = pass->began_us;
      pubsub_heap_remove(&settler->retries, &pass->retry);
      pubsub_settler_begin(settler, held, PUBSUB_ACK_KIND_EXTEND);
      pass->began_us = began;
    } else if (!pass->active) {
      pubsub_settler_begin(settler, held, PUBSUB_ACK_KIND_EXTEND);
    }
  }
  pubsub_heap_set(&settler->leases, &held->lease_node, due);
}

void pubsub_settler_on_lease_timer(struct pubsub_timer *timer) {
  struct pubsub_settler *settler = PUBSUB_CONTAINER_OF(timer, struct pubsub_settler, lease_timer);
  uint64_t now = pubsub_settler_now(settler);
  struct pubsub_heap_node *first;
  while ((first = pubsub_heap_top(&settler->leases)) && first->due <= now) {
    look_after(settler, PUBSUB_CONTAINER_OF(first, struct pubsub_held, lease_node), now);
  }
  schedule_leases(settler);
}

void pubsub_settler_lease(struct pubsub_settler *settler, struct pubsub_held *held,
                          uint64_t received_us) {
  pubsub_lease_start(&held->lease, received_us, (uint64_t)settler->deadline_s * 1000000);
  uint64_t due = pubsub_lease_due_us(&held->lease, settler->max_extension_us);
  pubsub_settler_look_at(settler, held, due);
}

void pubsub_settler_unlease(struct pubsub_settler *settler, struct pubsub_held *held) {
  pubsub_heap_remove(&settler->leases, &held->lease_node);
}

void pubsub_settler_renewed(struct pubsub_settler *settler, struct pubsub_held *held) {
  if (!pubsub_heap_has(&held->lease_node)) return;
  pubsub_lease_shorten(&held->lease, pubsub_settler_now(settler),
                       (uint64_t)settler->deadline_s * 1000000);
  uint64_t due = pubsub_lease_due_us(&held->lease, settler->max_extension_us);
  if (due < held->lease_node.due) pubsub_settler_look_at(settler, held, due);
}

void pubsub_settler_receipt(struct pubsub_settler *settler, struct pubsub_held *held) {
  held->receipt = true;
  if (!held->extending.active) pubsub_settler_begin(settler, held, PUBSUB_ACK_KIND_EXTEND);
}

void pubsub_settler_settle(struct pubsub_settler *settler, struct pubsub_held *held) {
  uint64_t now = pubsub_settler_now(settler);
  pubsub_settler_unlease(settler, held);
  held->ordered = true;
  held->receipt = false;
  pubsub_settler_stop_extending(settler, held);
  if (held->expired) {
    pubsub_settler_maybe_settled(settler, held);
    return;
  }
  if (!held->nack) {
    pubsub_ack_latency_add(&settler->latency, now - held->lease.received_us, held->rows, now);
  }
  pubsub_settler_begin(settler, held, held->nack ? PUBSUB_ACK_KIND_NACK : PUBSUB_ACK_KIND_ACK);
}
