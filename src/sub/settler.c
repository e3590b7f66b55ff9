#include "sub/settler.h"

#include "base/alloc.h"
#include "base/map.h"
#include "grpc/routing.h"
#include "sub/settler_inside.h"

#define MAX_IN_FLIGHT 8 /* of extensions, and of all else: neither waits for the other */

static void on_pump(struct pubsub_deferred *deferred);
static void on_retry_timer(struct pubsub_timer *timer);

enum pubsub_status pubsub_settler_init(struct pubsub_settler *settler,
                                       struct pubsub_channel *channel,
                                       struct pubsub_view subscription, uint32_t deadline_s,
                                       uint64_t max_extension_us) {
  settler->channel = channel;
  settler->subscription = subscription;
  settler->deadline_s = deadline_s;
  settler->max_extension_us = max_extension_us;
  settler->routing_header = pubsub_routing_header("subscription", subscription);
  if (!settler->routing_header) return PUBSUB_E_NOMEM;
  for (int i = 0; i < PUBSUB_ACK_KIND_COUNT; i++)
    pubsub_list_init(&settler->queues[i]);
  pubsub_list_init(&settler->in_flight);
  pubsub_list_init(&settler->pump.link);
  settler->pump.run = on_pump;
  settler->lease_timer.run = pubsub_settler_on_lease_timer;
  settler->retry_timer.run = on_retry_timer;
  pubsub_rng_seed_random(&settler->rng);
  return PUBSUB_OK;
}

void pubsub_settler_clear(struct pubsub_settler *settler) {
  if (!settler->routing_header) return;
  struct pubsub_loop *loop = pubsub_settler_loop(settler);
  while (!pubsub_list_empty(&settler->in_flight)) {
    pubsub_settle_request_forget(
        (struct pubsub_settle_request *)settler->in_flight.next); /* link is its first member */
  }
  pubsub_loop_timer_cancel(loop, &settler->lease_timer);
  pubsub_loop_timer_cancel(loop, &settler->retry_timer);
  pubsub_loop_defer_cancel(loop, &settler->pump);
  pubsub_heap_clear(&settler->leases);
  pubsub_heap_clear(&settler->retries);
  pubsub_free(settler->routing_header);
  settler->routing_header = NULL;
}

void pubsub_settler_wake(struct pubsub_settler *settler) {
  pubsub_loop_defer(pubsub_settler_loop(settler), &settler->pump);
}

/* ---- passes ---- */

void pubsub_settler_begin(struct pubsub_settler *settler, struct pubsub_held *held,
                          enum pubsub_ack_kind kind) {
  struct pubsub_pass *pass = pubsub_settler_pass(held, kind);
  pass->owner = held;
  pass->kind = (int)kind;
  pubsub_pass_begin(pass, held->ack_ids.count, pubsub_settler_now(settler));
  pubsub_list_push_back(&settler->queues[kind], &pass->link);
  pubsub_settler_wake(settler);
}

void pubsub_settler_stop_extending(struct pubsub_settler *settler, struct pubsub_held *held) {
  struct pubsub_pass *pass = &held->extending;
  if (!pass->active) return;
  pubsub_list_remove(&pass->link);
  pubsub_heap_remove(&settler->retries, &pass->retry);
  pubsub_pass_cut(pass);
  if (pass->unconfirmed == 0) pubsub_pass_end(pass);
}

void pubsub_settler_schedule_retries(struct pubsub_settler *settler) {
  struct pubsub_heap_node *first = pubsub_heap_top(&settler->retries);
  if (first) pubsub_loop_timer_set(pubsub_settler_loop(settler), &settler->retry_timer, first->due);
}

static void on_retry_timer(struct pubsub_timer *timer) {
  struct pubsub_settler *settler = PUBSUB_CONTAINER_OF(timer, struct pubsub_settler, retry_timer);
  struct pubsub_heap_node *first;
  while ((first = pubsub_heap_top(&settler->retries)) &&
         first->due <= pubsub_settler_now(settler)) {
    struct pubsub_pass *pass = PUBSUB_CONTAINER_OF(first, struct pubsub_pass, retry);
    pubsub_heap_remove(&settler->retries, first);
    pubsub_list_push_back(&settler->queues[pass->kind], &pass->link);
  }
  pubsub_settler_schedule_retries(settler);
  pubsub_settler_wake(settler);
}

/* ---- packing ---- */

static uint32_t deadline_for(const struct pubsub_settler *settler, const struct pubsub_held *held) {
  return pubsub_ack_latency_deadline_s(&settler->latency,
                                       pubsub_settler_now(settler) - held->lease.received_us,
                                       settler->deadline_s, settler->exactly_once);
}

/* The chunk's lease runs anew from the request that has its first ids; repeating it makes sense while the old one runs. */
static void grant(struct pubsub_settle_request *request, struct pubsub_held *held,
                  uint32_t deadline_s) {
  struct pubsub_settler *settler = request->settler;
  uint64_t end = pubsub_lease_end_us(&held->lease);
  if (end < request->until_us) request->until_us = end;
  if (held->extending.rows || !pubsub_heap_has(&held->lease_node)) return; /* a turn of some rows */
  pubsub_lease_extend(&held->lease, pubsub_settler_now(settler), (uint64_t)deadline_s * 1000000);
  pubsub_settler_look_at(settler, held,
                         pubsub_lease_due_us(&held->lease, settler->max_extension_us));
}

static void pack(struct pubsub_settler *settler, struct pubsub_settle_request *request,
                 uint32_t deadline_s) {
  enum pubsub_ack_kind kind = request->packed.kind;
  struct pubsub_list *queue = &settler->queues[kind];
  while (!pubsub_list_empty(queue) && request->part_count < PUBSUB_SETTLE_PARTS) {
    struct pubsub_pass *pass = PUBSUB_CONTAINER_OF(queue->next, struct pubsub_pass, link);
    struct pubsub_held *held = pass->owner;
    uint32_t first = pass->next;
    uint32_t added = pubsub_ack_request_add(&request->packed, &held->ack_ids, pass->rows,
                                            pass->count, &pass->next);
    if (added > 0) {
      request->parts[request->part_count++] = (struct pubsub_settle_part){held, first, added};
      pass->unconfirmed += added;
      if (kind == PUBSUB_ACK_KIND_EXTEND) grant(request, held, deadline_s);
    }
    if (pass->next < pass->count) break; /* full, or no memory */
    pubsub_list_remove(&pass->link);
  }
}

/* False: no memory. */
static bool send_next(struct pubsub_settler *settler, enum pubsub_ack_kind kind) {
  struct pubsub_pass *first =
      PUBSUB_CONTAINER_OF(settler->queues[kind].next, struct pubsub_pass, link);
  uint32_t deadline_s = deadline_for(settler, first->owner);
  struct pubsub_settle_request *request = pubsub_settle_request_new(settler, kind, deadline_s);
  if (!request) return false;
  pack(settler, request, deadline_s);
  if (request->part_count == 0) {
    pubsub_settle_request_forget(request);
    return false;
  }
  pubsub_settle_request_send(request);
  return true;
}

static void on_pump(struct pubsub_deferred *deferred) {
  struct pubsub_settler *settler = PUBSUB_CONTAINER_OF(deferred, struct pubsub_settler, pump);
  /* Extensions first: they are what keeps everything else valid. */
  static const enum pubsub_ack_kind order[] = {PUBSUB_ACK_KIND_EXTEND, PUBSUB_ACK_KIND_ACK,
                                               PUBSUB_ACK_KIND_NACK};
  for (size_t i = 0; i < 3; i++) {
    while (!pubsub_list_empty(&settler->queues[order[i]]) &&
           *pubsub_settler_count(settler, order[i]) < MAX_IN_FLIGHT) {
      if (send_next(settler, order[i])) continue;
      pubsub_loop_timer_set(pubsub_settler_loop(settler), &settler->retry_timer,
                            pubsub_settler_now(settler) + PUBSUB_SETTLE_FIRST_BACKOFF_US);
      return;
    }
  }
}
