#include "sub/settler.h"

#include "base/alloc.h"
#include "base/map.h"
#include "grpc/backoff.h"
#include "grpc/routing.h"
#include <stdio.h>

#define MAX_IN_FLIGHT 8
#define CALL_TIMEOUT_US 60000000
#define FIRST_BACKOFF_US 100000
#define MAX_BACKOFF_US 10000000
#define MAX_PARTS 64 /* chunks in one request */

struct part {
  struct pubsub_held *held;
  uint32_t ids;
};

struct request {
  struct pubsub_list link; /* in settler.in_flight */
  struct pubsub_settler *settler;
  struct pubsub_ack_request packed;
  struct part parts[MAX_PARTS];
  size_t part_count;
  unsigned refs; /* ours, and one per segment the transport holds */
  bool over;     /* ours is given up */
  struct pubsub_call *call;
  struct pubsub_backoff backoff;
  struct pubsub_timer retry;
};

static void on_pump(struct pubsub_deferred *deferred);
static void on_lease_timer(struct pubsub_timer *timer);

enum pubsub_status pubsub_settler_init(struct pubsub_settler *settler,
                                       struct pubsub_channel *channel,
                                       struct pubsub_view subscription, uint32_t deadline_s,
                                       uint64_t max_extension_us) {
  settler->channel = channel;
  settler->subscription = subscription;
  settler->deadline_s = deadline_s;
  settler->lease_limits =
      (struct pubsub_lease_limits){(uint64_t)deadline_s * 1000000, max_extension_us};
  settler->routing_header = pubsub_routing_header("subscription", subscription);
  if (!settler->routing_header) return PUBSUB_E_NOMEM;
  for (int i = 0; i < PUBSUB_ACK_KIND_COUNT; i++)
    pubsub_list_init(&settler->queues[i]);
  pubsub_list_init(&settler->in_flight);
  pubsub_list_init(&settler->pump.link);
  settler->pump.run = on_pump;
  settler->lease_timer.run = on_lease_timer;
  pubsub_rng_seed_random(&settler->rng);
  return PUBSUB_OK;
}

static void unref(struct request *request) {
  if (--request->refs > 0) return;
  pubsub_ack_request_clear(&request->packed);
  pubsub_free(request);
}

static void release_segment(void *owner) {
  unref(owner);
}

/* Takes the request out of the settler; its memory may live on in the transport. */
static void forget(struct request *request) {
  struct pubsub_settler *settler = request->settler;
  if (request->call) pubsub_call_cancel(request->call);
  request->call = NULL;
  pubsub_loop_timer_cancel(pubsub_channel_loop(settler->channel), &request->retry);
  pubsub_list_remove(&request->link);
  settler->in_flight_count--;
  unref(request);
}

void pubsub_settler_clear(struct pubsub_settler *settler) {
  if (!settler->routing_header) return;
  struct pubsub_loop *loop = pubsub_channel_loop(settler->channel);
  while (!pubsub_list_empty(&settler->in_flight)) {
    forget((struct request *)settler->in_flight.next); /* link is its first member */
  }
  pubsub_loop_timer_cancel(loop, &settler->lease_timer);
  pubsub_loop_defer_cancel(loop, &settler->pump);
  pubsub_heap_clear(&settler->leases);
  pubsub_free(settler->routing_header);
  settler->routing_header = NULL;
}

static void wake(struct pubsub_settler *settler) {
  pubsub_loop_defer(pubsub_channel_loop(settler->channel), &settler->pump);
}

/* ---- outcomes ---- */

static void maybe_settled(struct pubsub_settler *settler, struct pubsub_held *held) {
  /* An extension under way still points to the chunk. */
  if (!held->queued || held->next_id < held->ack_ids.count || held->unconfirmed > 0 ||
      held->extending) {
    return;
  }
  settler->on_settled(settler->user, held);
}

static void finish(struct request *request, bool confirmed) {
  struct pubsub_settler *settler = request->settler;
  enum pubsub_ack_kind kind = request->packed.kind;
  struct part parts[MAX_PARTS];
  size_t count = request->part_count;
  memcpy(parts, request->parts, count * sizeof *parts);
  forget(request);
  for (size_t i = 0; i < count; i++) {
    struct pubsub_held *held = parts[i].held;
    if (kind == PUBSUB_ACK_KIND_EXTEND) {
      held->extend_unconfirmed -= parts[i].ids;
      if (held->extend_next >= held->ack_ids.count && held->extend_unconfirmed == 0) {
        held->extending = false;
        maybe_settled(settler, held);
      }
      continue;
    }
    held->unconfirmed -= parts[i].ids;
    if (!confirmed) held->failed_rows += parts[i].ids;
    maybe_settled(settler, held);
  }
  wake(settler);
}

static void send(struct request *request);

static void on_retry(struct pubsub_timer *timer) {
  send(PUBSUB_CONTAINER_OF(timer, struct request, retry));
}

static void retry_later(struct request *request) {
  struct pubsub_settler *settler = request->settler;
  struct pubsub_loop *loop = pubsub_channel_loop(settler->channel);
  settler->counts.failed_requests++;
  uint64_t delay = pubsub_backoff_next_us(&request->backoff, &settler->rng);
  if (pubsub_loop_timer_set(loop, &request->retry, pubsub_loop_now_us(loop) + delay) != PUBSUB_OK) {
    finish(request, false);
  }
}

static bool is_permanent(const struct pubsub_error *error) {
  if (error->status != PUBSUB_E_GRPC) return false; /* network, protocol: passes */
  return !error->retryable && error->grpc_code != PUBSUB_GRPC_UNAUTHENTICATED;
}

static void on_done(void *user, const struct pubsub_error *result, struct pubsub_view response,
                    struct pubsub_view details) {
  struct request *request = user;
  (void)response;
  (void)details;
  request->call = NULL;
  if (result->status == PUBSUB_OK) {
    finish(request, true);
  } else if (request->packed.kind == PUBSUB_ACK_KIND_EXTEND || is_permanent(result)) {
    /* A failed extension is not repeated: acknowledging may still work, and the next one comes in time. */
    request->settler->counts.failed_requests++;
    finish(request, false);
  } else {
    retry_later(request);
  }
}

static void send(struct request *request) {
  struct pubsub_settler *settler = request->settler;
  bool ack = request->packed.kind == PUBSUB_ACK_KIND_ACK;
  struct pubsub_call_options options = {.method =
                                            ack ? "/google.pubsub.v1.Subscriber/Acknowledge"
                                                : "/google.pubsub.v1.Subscriber/ModifyAckDeadline",
                                        .routing_header = settler->routing_header,
                                        .timeout_us = CALL_TIMEOUT_US};
  struct pubsub_segment segment = {request->packed.bytes.ptr, request->packed.bytes.len,
                                   release_segment, request};
  struct pubsub_error error = {0};
  if (ack) {
    settler->counts.ack_requests++;
  } else if (request->packed.kind == PUBSUB_ACK_KIND_EXTEND) {
    settler->counts.extend_requests++;
  }
  request->refs++;
  if (pubsub_unary_start(settler->channel, &options, &segment, 1, on_done, request, &request->call,
                         &error) != PUBSUB_OK) {
    request->refs--;
    request->call = NULL;
    retry_later(request);
  }
}

/* ---- packing ---- */

static struct request *request_new(struct pubsub_settler *settler, enum pubsub_ack_kind kind) {
  struct request *request = pubsub_alloc_zero(1, sizeof *request);
  if (!request) return NULL;
  if (pubsub_ack_request_begin(&request->packed, kind, settler->subscription,
                               settler->deadline_s) != PUBSUB_OK) {
    pubsub_ack_request_clear(&request->packed);
    pubsub_free(request);
    return NULL;
  }
  request->settler = settler;
  request->refs = 1;
  request->retry.run = on_retry;
  pubsub_backoff_init(&request->backoff, FIRST_BACKOFF_US, MAX_BACKOFF_US);
  pubsub_list_push_back(&settler->in_flight, &request->link);
  settler->in_flight_count++;
  return request;
}

static void pack(struct pubsub_settler *settler, struct request *request) {
  enum pubsub_ack_kind kind = request->packed.kind;
  struct pubsub_list *queue = &settler->queues[kind];
  while (!pubsub_list_empty(queue) && request->part_count < MAX_PARTS) {
    struct pubsub_held *held = PUBSUB_CONTAINER_OF(queue->next, struct pubsub_held, queue_link);
    uint32_t *next = kind == PUBSUB_ACK_KIND_EXTEND ? &held->extend_next : &held->next_id;
    uint32_t added = pubsub_ack_request_add(&request->packed, &held->ack_ids, next);
    if (added > 0) {
      request->parts[request->part_count++] = (struct part){held, added};
      *(kind == PUBSUB_ACK_KIND_EXTEND ? &held->extend_unconfirmed : &held->unconfirmed) += added;
    }
    if (*next < held->ack_ids.count) break; /* full, or no memory */
    pubsub_list_remove(&held->queue_link);
  }
}

static void on_pump(struct pubsub_deferred *deferred) {
  struct pubsub_settler *settler = PUBSUB_CONTAINER_OF(deferred, struct pubsub_settler, pump);
  /* Extensions first: they are what keeps everything else valid. */
  static const enum pubsub_ack_kind order[] = {PUBSUB_ACK_KIND_EXTEND, PUBSUB_ACK_KIND_ACK,
                                               PUBSUB_ACK_KIND_NACK};
  for (size_t i = 0; i < 3; i++) {
    while (!pubsub_list_empty(&settler->queues[order[i]]) &&
           settler->in_flight_count < MAX_IN_FLIGHT) {
      struct request *request = request_new(settler, order[i]);
      if (!request) return; /* the next event tries again */
      pack(settler, request);
      if (request->part_count == 0) {
        forget(request);
        return;
      }
      send(request);
    }
  }
}

/* ---- leases ---- */

static void schedule_leases(struct pubsub_settler *settler) {
  struct pubsub_heap_node *first = pubsub_heap_top(&settler->leases);
  struct pubsub_loop *loop = pubsub_channel_loop(settler->channel);
  if (first) {
    pubsub_loop_timer_set(loop, &settler->lease_timer, first->due);
  } else {
    pubsub_loop_timer_cancel(loop, &settler->lease_timer);
  }
}

static void look_after(struct pubsub_settler *settler, struct pubsub_held *held, uint64_t now) {
  switch (pubsub_lease_check(&settler->lease_limits, &held->lease, now)) {
  case PUBSUB_LEASE_GIVE_UP:
    pubsub_heap_remove(&settler->leases, &held->lease_node);
    held->expired = true;
    settler->on_expired(settler->user, held);
    return;
  case PUBSUB_LEASE_EXTEND:
    if (!held->extending) {
      held->extending = true;
      held->extend_next = 0;
      pubsub_list_push_back(&settler->queues[PUBSUB_ACK_KIND_EXTEND], &held->queue_link);
      wake(settler);
    }
    break;
  case PUBSUB_LEASE_KEEP:
    break;
  }
  pubsub_heap_set(&settler->leases, &held->lease_node,
                  pubsub_lease_due_us(&settler->lease_limits, &held->lease));
}

static void on_lease_timer(struct pubsub_timer *timer) {
  struct pubsub_settler *settler = PUBSUB_CONTAINER_OF(timer, struct pubsub_settler, lease_timer);
  uint64_t now = pubsub_loop_now_us(pubsub_channel_loop(settler->channel));
  struct pubsub_heap_node *first;
  while ((first = pubsub_heap_top(&settler->leases)) && first->due <= now) {
    look_after(settler, PUBSUB_CONTAINER_OF(first, struct pubsub_held, lease_node), now);
  }
  schedule_leases(settler);
}

void pubsub_settler_lease(struct pubsub_settler *settler, struct pubsub_held *held) {
  uint64_t due = pubsub_lease_due_us(&settler->lease_limits, &held->lease);
  pubsub_heap_set(&settler->leases, &held->lease_node, due);
  if (settler->lease_timer.node.index == 0 || settler->lease_timer.node.due > due) {
    schedule_leases(settler);
  }
}

void pubsub_settler_settle(struct pubsub_settler *settler, struct pubsub_held *held) {
  pubsub_heap_remove(&settler->leases, &held->lease_node);
  held->queued = true;
  if (held->extending && held->extend_next == 0) { /* not begun: not needed any more */
    pubsub_list_remove(&held->queue_link);
    held->extending = false;
  } else if (held->extending && held->extend_next < held->ack_ids.count) {
    pubsub_list_remove(&held->queue_link);
    held->extend_next = held->ack_ids.count;
    if (held->extend_unconfirmed == 0) held->extending = false;
  }
  if (held->expired) {
    held->failed_rows = held->ack_ids.count;
    held->next_id = held->ack_ids.count;
    maybe_settled(settler, held);
    return;
  }
  held->next_id = 0;
  pubsub_list_push_back(&settler->queues[held->nack ? PUBSUB_ACK_KIND_NACK : PUBSUB_ACK_KIND_ACK],
                        &held->queue_link);
  wake(settler);
}

bool pubsub_settler_idle(const struct pubsub_settler *settler) {
  return settler->in_flight_count == 0 &&
         pubsub_list_empty(&settler->queues[PUBSUB_ACK_KIND_ACK]) &&
         pubsub_list_empty(&settler->queues[PUBSUB_ACK_KIND_NACK]);
}
