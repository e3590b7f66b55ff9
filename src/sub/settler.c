#include "sub/settler.h"

#include "base/alloc.h"
#include "base/map.h"
#include "grpc/backoff.h"
#include "grpc/routing.h"
#include "sub/ack_outcome.h"
#include <stdio.h>

#define MAX_IN_FLIGHT 8 /* of extensions, and of all else: neither waits for the other */
#define CALL_TIMEOUT_US 60000000
#define FIRST_BACKOFF_US 100000
#define MAX_BACKOFF_US 10000000
#define RETRY_FOR_US UINT64_C(600000000)
#define LOOK_AGAIN_US 1000000
#define MAX_PARTS 64 /* chunks in one request */

struct part {
  struct pubsub_held *held;
  uint32_t first, ids; /* of its pass */
};

struct request {
  struct pubsub_list link; /* in settler.in_flight */
  struct pubsub_settler *settler;
  struct pubsub_ack_request packed;
  struct part parts[MAX_PARTS];
  size_t part_count;
  unsigned refs; /* ours, and one per segment the transport holds */
  struct pubsub_call *call;
  struct pubsub_backoff backoff;
  struct pubsub_timer retry;
  uint64_t until_us; /* repeated as a whole until then */
};

static void on_pump(struct pubsub_deferred *deferred);
static void on_lease_timer(struct pubsub_timer *timer);
static void on_retry_timer(struct pubsub_timer *timer);

static struct pubsub_loop *loop_of(const struct pubsub_settler *settler) {
  return pubsub_channel_loop(settler->channel);
}

static uint64_t now_of(const struct pubsub_settler *settler) {
  return pubsub_loop_now_us(loop_of(settler));
}

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
  settler->lease_timer.run = on_lease_timer;
  settler->retry_timer.run = on_retry_timer;
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

static size_t *count_of(struct pubsub_settler *settler, enum pubsub_ack_kind kind) {
  return kind == PUBSUB_ACK_KIND_EXTEND ? &settler->extending_count : &settler->settling_count;
}

/* Takes the request out of the settler; its memory may live on in the transport. */
static void forget(struct request *request) {
  struct pubsub_settler *settler = request->settler;
  if (request->call) pubsub_call_cancel(request->call);
  request->call = NULL;
  pubsub_loop_timer_cancel(loop_of(settler), &request->retry);
  pubsub_list_remove(&request->link);
  --*count_of(settler, request->packed.kind);
  unref(request);
}

void pubsub_settler_clear(struct pubsub_settler *settler) {
  if (!settler->routing_header) return;
  struct pubsub_loop *loop = loop_of(settler);
  while (!pubsub_list_empty(&settler->in_flight)) {
    forget((struct request *)settler->in_flight.next); /* link is its first member */
  }
  pubsub_loop_timer_cancel(loop, &settler->lease_timer);
  pubsub_loop_timer_cancel(loop, &settler->retry_timer);
  pubsub_loop_defer_cancel(loop, &settler->pump);
  pubsub_heap_clear(&settler->leases);
  pubsub_heap_clear(&settler->retries);
  pubsub_free(settler->routing_header);
  settler->routing_header = NULL;
}

static void wake(struct pubsub_settler *settler) {
  pubsub_loop_defer(loop_of(settler), &settler->pump);
}

/* ---- passes ---- */

static struct pubsub_pass *pass_of(struct pubsub_held *held, enum pubsub_ack_kind kind) {
  return kind == PUBSUB_ACK_KIND_EXTEND ? &held->extending : &held->settling;
}

static void begin(struct pubsub_settler *settler, struct pubsub_held *held,
                  enum pubsub_ack_kind kind) {
  struct pubsub_pass *pass = pass_of(held, kind);
  pass->owner = held;
  pass->kind = (int)kind;
  pubsub_pass_begin(pass, held->ack_ids.count, now_of(settler));
  pubsub_list_push_back(&settler->queues[kind], &pass->link);
  wake(settler);
}

static void stop_extending(struct pubsub_settler *settler, struct pubsub_held *held) {
  struct pubsub_pass *pass = &held->extending;
  if (!pass->active) return;
  pubsub_list_remove(&pass->link);
  pubsub_heap_remove(&settler->retries, &pass->retry);
  pubsub_pass_cut(pass);
  if (pass->unconfirmed == 0) pubsub_pass_end(pass);
}

static void schedule_retries(struct pubsub_settler *settler) {
  struct pubsub_heap_node *first = pubsub_heap_top(&settler->retries);
  if (first) pubsub_loop_timer_set(loop_of(settler), &settler->retry_timer, first->due);
}

static void on_retry_timer(struct pubsub_timer *timer) {
  struct pubsub_settler *settler = PUBSUB_CONTAINER_OF(timer, struct pubsub_settler, retry_timer);
  struct pubsub_heap_node *first;
  while ((first = pubsub_heap_top(&settler->retries)) && first->due <= now_of(settler)) {
    struct pubsub_pass *pass = PUBSUB_CONTAINER_OF(first, struct pubsub_pass, retry);
    pubsub_heap_remove(&settler->retries, first);
    pubsub_list_push_back(&settler->queues[pass->kind], &pass->link);
  }
  schedule_retries(settler);
  wake(settler);
}

/* ---- outcomes ---- */

static void fail_row(struct pubsub_settler *settler, struct pubsub_held *held, uint32_t row) {
  held->failed_rows++;
  settler->on_row_failed(settler->user, held, row);
}

static void row_outcome(struct pubsub_settler *settler, struct pubsub_held *held,
                        enum pubsub_ack_kind kind, uint32_t row, enum pubsub_ack_outcome outcome,
                        struct pubsub_view sent) {
  struct pubsub_pass *pass = pass_of(held, kind);
  bool extend = kind == PUBSUB_ACK_KIND_EXTEND, transient = outcome == PUBSUB_ACK_OUTCOME_TRANSIENT;
  bool renewed =
      held->ack_ids.ends && !pubsub_view_equal(pubsub_ack_ids_at(&held->ack_ids, row), sent);
  /* A receipt is of the newest id; an acknowledgement is good with any. */
  if (outcome == PUBSUB_ACK_OUTCOME_GOOD && !(renewed && held->receipt)) return;
  bool wanted = !extend || !held->ordered;
  bool young = now_of(settler) < pass->began_us + RETRY_FOR_US;
  if ((transient || renewed) && wanted && young && pubsub_pass_again(pass, row) == PUBSUB_OK) {
    if (transient) settler->counts.retried_rows++;
  } else if (!extend) {
    fail_row(settler, held, row);
  } else if (held->receipt) {
    pubsub_held_drop_row(held, row);
  }
}

static void maybe_settled(struct pubsub_settler *settler, struct pubsub_held *held) {
  /* An extension under way still points to the chunk. */
  if (!held->ordered || held->settling.active || held->extending.active) return;
  settler->on_settled(settler->user, held);
}

/* False: there is no memory for another turn; what it was for has failed. */
static bool next_turn(struct pubsub_settler *settler, struct pubsub_held *held,
                      struct pubsub_pass *pass) {
  struct pubsub_backoff backoff = {FIRST_BACKOFF_US, MAX_BACKOFF_US, pass->turns};
  pubsub_pass_next_turn(pass);
  uint64_t due = now_of(settler) + pubsub_backoff_next_us(&backoff, &settler->rng);
  if (pubsub_heap_set(&settler->retries, &pass->retry, due) == PUBSUB_OK) {
    schedule_retries(settler);
    return true;
  }
  for (uint32_t i = 0; i < pass->count; i++) {
    if (pass->kind != PUBSUB_ACK_KIND_EXTEND) fail_row(settler, held, pass->rows[i]);
    if (pass->kind == PUBSUB_ACK_KIND_EXTEND && held->receipt)
      pubsub_held_drop_row(held, pass->rows[i]);
  }
  return false;
}

static void turn_over(struct pubsub_settler *settler, struct pubsub_held *held,
                      struct pubsub_pass *pass) {
  if (pass->kind == PUBSUB_ACK_KIND_EXTEND && (held->ordered || held->expired)) {
    pubsub_pass_cut(pass);
  }
  if (pass->again_count > 0 && next_turn(settler, held, pass)) return;
  bool receipt = pass->kind == PUBSUB_ACK_KIND_EXTEND && held->receipt;
  pubsub_pass_end(pass);
  if (receipt && !held->ordered) {
    held->receipt = false;
    settler->on_receipt(settler->user, held);
    return;
  }
  maybe_settled(settler, held);
}

static bool any_renewed(const struct request *request) {
  for (size_t i = 0; i < request->part_count; i++) {
    if (request->parts[i].held->ack_ids.ends) return true;
  }
  return false;
}

/* Every id has its outcome: the listed one, else `unlisted`. */
static void finish(struct request *request, const struct pubsub_ack_outcomes *outcomes,
                   enum pubsub_ack_outcome unlisted) {
  struct pubsub_settler *settler = request->settler;
  enum pubsub_ack_kind kind = request->packed.kind;
  struct part parts[MAX_PARTS];
  size_t count = request->part_count, cursor = 0;
  struct pubsub_view sent = {0};
  bool each = outcomes->count > 0 || unlisted != PUBSUB_ACK_OUTCOME_GOOD || any_renewed(request);
  for (size_t i = 0; i < count && each; i++) {
    const struct part *part = &request->parts[i];
    for (uint32_t k = 0; k < part->ids; k++) {
      pubsub_ack_request_next_id(&request->packed, &cursor, &sent);
      enum pubsub_ack_outcome outcome = pubsub_ack_outcomes_find(outcomes, sent);
      if (outcome == PUBSUB_ACK_OUTCOME_GOOD) outcome = unlisted;
      uint32_t row = pubsub_pass_row(pass_of(part->held, kind), part->first + k);
      row_outcome(settler, part->held, kind, row, outcome, sent);
    }
  }
  memcpy(parts, request->parts, count * sizeof *parts);
  forget(request);
  for (size_t i = 0; i < count; i++) {
    struct pubsub_pass *pass = pass_of(parts[i].held, kind);
    pass->unconfirmed -= parts[i].ids;
    if (pubsub_pass_turn_over(pass)) turn_over(settler, parts[i].held, pass);
  }
  wake(settler);
}

static void send(struct request *request);

static void on_retry(struct pubsub_timer *timer) {
  send(PUBSUB_CONTAINER_OF(timer, struct request, retry));
}

static bool wanted(const struct request *request) {
  if (request->packed.kind != PUBSUB_ACK_KIND_EXTEND) return true;
  for (size_t i = 0; i < request->part_count; i++) {
    if (!request->parts[i].held->ordered && !request->parts[i].held->expired) return true;
  }
  return false;
}

static void retry_later(struct request *request) {
  static const struct pubsub_ack_outcomes none = {0};
  struct pubsub_settler *settler = request->settler;
  uint64_t due = now_of(settler) + pubsub_backoff_next_us(&request->backoff, &settler->rng);
  if (due >= request->until_us || !wanted(request) ||
      pubsub_loop_timer_set(loop_of(settler), &request->retry, due) != PUBSUB_OK) {
    finish(request, &none, PUBSUB_ACK_OUTCOME_TRANSIENT);
  }
}

static bool is_permanent(const struct pubsub_error *error) {
  if (error->status != PUBSUB_E_GRPC) return false; /* network, protocol: passes */
  return !error->retryable && error->grpc_code != PUBSUB_GRPC_UNAUTHENTICATED;
}

/* The details speak of this request's ids, not of something else. */
static bool lists_any(const struct request *request, const struct pubsub_ack_outcomes *outcomes) {
  struct pubsub_view id;
  size_t cursor = 0;
  while (outcomes->count > 0 && pubsub_ack_request_next_id(&request->packed, &cursor, &id)) {
    if (pubsub_ack_outcomes_find(outcomes, id) != PUBSUB_ACK_OUTCOME_GOOD) return true;
  }
  return false;
}

static void on_done(void *user, const struct pubsub_error *result, struct pubsub_view response,
                    struct pubsub_view details) {
  struct request *request = user;
  struct pubsub_ack_outcomes outcomes;
  (void)response;
  request->call = NULL;
  pubsub_ack_outcomes_read(&outcomes, details); /* no memory: the call counts as a whole */
  bool good = result->status == PUBSUB_OK;
  if (!good) request->settler->counts.failed_requests++;
  if (good || lists_any(request, &outcomes)) {
    bool passes = !good && result->retryable;
    finish(request, &outcomes, passes ? PUBSUB_ACK_OUTCOME_TRANSIENT : PUBSUB_ACK_OUTCOME_GOOD);
  } else if (is_permanent(result)) {
    outcomes.count = 0;
    finish(request, &outcomes, PUBSUB_ACK_OUTCOME_PERMANENT);
  } else {
    retry_later(request);
  }
  pubsub_ack_outcomes_clear(&outcomes);
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
    settler->counts.failed_requests++;
    retry_later(request);
  }
}

/* ---- packing ---- */

static uint32_t deadline_for(const struct pubsub_settler *settler, const struct pubsub_held *held) {
  return pubsub_ack_latency_deadline_s(&settler->latency, now_of(settler) - held->lease.received_us,
                                       settler->deadline_s, settler->exactly_once);
}

static struct request *request_new(struct pubsub_settler *settler, enum pubsub_ack_kind kind,
                                   uint32_t deadline_s) {
  struct request *request = pubsub_alloc_zero(1, sizeof *request);
  if (!request) return NULL;
  if (pubsub_ack_request_begin(&request->packed, kind, settler->subscription, deadline_s,
                               settler->exactly_once) != PUBSUB_OK) {
    pubsub_ack_request_clear(&request->packed);
    pubsub_free(request);
    return NULL;
  }
  request->settler = settler;
  request->refs = 1;
  request->retry.run = on_retry;
  /* Without exactly-once an acknowledgement may be repeated freely. */
  request->until_us = settler->exactly_once ? now_of(settler) + RETRY_FOR_US : UINT64_MAX;
  pubsub_backoff_init(&request->backoff, FIRST_BACKOFF_US, MAX_BACKOFF_US);
  pubsub_list_push_back(&settler->in_flight, &request->link);
  ++*count_of(settler, kind);
  return request;
}

static void look_at(struct pubsub_settler *settler, struct pubsub_held *held, uint64_t due);

/* The chunk's lease runs anew from the request that has its first ids; repeating it makes sense while the old one runs. */
static void grant(struct request *request, struct pubsub_held *held, uint32_t deadline_s) {
  struct pubsub_settler *settler = request->settler;
  uint64_t end = pubsub_lease_end_us(&held->lease);
  if (end < request->until_us) request->until_us = end;
  if (held->extending.rows || held->lease_node.index == 0) return; /* a turn of some rows */
  pubsub_lease_extend(&held->lease, now_of(settler), (uint64_t)deadline_s * 1000000);
  look_at(settler, held, pubsub_lease_due_us(&held->lease, settler->max_extension_us));
}

static void pack(struct pubsub_settler *settler, struct request *request, uint32_t deadline_s) {
  enum pubsub_ack_kind kind = request->packed.kind;
  struct pubsub_list *queue = &settler->queues[kind];
  while (!pubsub_list_empty(queue) && request->part_count < MAX_PARTS) {
    struct pubsub_pass *pass = PUBSUB_CONTAINER_OF(queue->next, struct pubsub_pass, link);
    struct pubsub_held *held = pass->owner;
    uint32_t first = pass->next;
    uint32_t added = pubsub_ack_request_add(&request->packed, &held->ack_ids, pass->rows,
                                            pass->count, &pass->next);
    if (added > 0) {
      request->parts[request->part_count++] = (struct part){held, first, added};
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
  struct request *request = request_new(settler, kind, deadline_s);
  if (!request) return false;
  pack(settler, request, deadline_s);
  if (request->part_count == 0) {
    forget(request);
    return false;
  }
  send(request);
  return true;
}

static void on_pump(struct pubsub_deferred *deferred) {
  struct pubsub_settler *settler = PUBSUB_CONTAINER_OF(deferred, struct pubsub_settler, pump);
  /* Extensions first: they are what keeps everything else valid. */
  static const enum pubsub_ack_kind order[] = {PUBSUB_ACK_KIND_EXTEND, PUBSUB_ACK_KIND_ACK,
                                               PUBSUB_ACK_KIND_NACK};
  for (size_t i = 0; i < 3; i++) {
    while (!pubsub_list_empty(&settler->queues[order[i]]) &&
           *count_of(settler, order[i]) < MAX_IN_FLIGHT) {
      if (send_next(settler, order[i])) continue;
      pubsub_loop_timer_set(loop_of(settler), &settler->retry_timer,
                            now_of(settler) + FIRST_BACKOFF_US);
      return;
    }
  }
}

/* ---- leases ---- */

static void schedule_leases(struct pubsub_settler *settler) {
  struct pubsub_heap_node *first = pubsub_heap_top(&settler->leases);
  if (first) {
    pubsub_loop_timer_set(loop_of(settler), &settler->lease_timer, first->due);
  } else {
    pubsub_loop_timer_cancel(loop_of(settler), &settler->lease_timer);
  }
}

/* A leased chunk is looked at when due. */
static void look_at(struct pubsub_settler *settler, struct pubsub_held *held, uint64_t due) {
  pubsub_heap_set(&settler->leases, &held->lease_node, due); /* it is in there: nothing can fail */
  if (settler->lease_timer.node.index == 0 || settler->lease_timer.node.due > due) {
    schedule_leases(settler);
  }
}

static void give_up(struct pubsub_settler *settler, struct pubsub_held *held) {
  bool receipt = held->receipt;
  pubsub_heap_remove(&settler->leases, &held->lease_node);
  held->expired = true;
  if (receipt) held->drop_all = true;
  stop_extending(settler, held);
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
    if (pass->active && pass->retry.index > 0) {
      /* Some rows wait for their turn: all need it now. */
      uint64_t began = pass->began_us;
      pubsub_heap_remove(&settler->retries, &pass->retry);
      begin(settler, held, PUBSUB_ACK_KIND_EXTEND);
      pass->began_us = began;
    } else if (!pass->active) {
      begin(settler, held, PUBSUB_ACK_KIND_EXTEND);
    }
  }
  pubsub_heap_set(&settler->leases, &held->lease_node, due);
}

static void on_lease_timer(struct pubsub_timer *timer) {
  struct pubsub_settler *settler = PUBSUB_CONTAINER_OF(timer, struct pubsub_settler, lease_timer);
  uint64_t now = now_of(settler);
  struct pubsub_heap_node *first;
  while ((first = pubsub_heap_top(&settler->leases)) && first->due <= now) {
    look_after(settler, PUBSUB_CONTAINER_OF(first, struct pubsub_held, lease_node), now);
  }
  schedule_leases(settler);
}

enum pubsub_status pubsub_settler_lease(struct pubsub_settler *settler, struct pubsub_held *held,
                                        uint64_t received_us) {
  pubsub_lease_start(&held->lease, received_us, (uint64_t)settler->deadline_s * 1000000);
  uint64_t due = pubsub_lease_due_us(&held->lease, settler->max_extension_us);
  if (pubsub_heap_set(&settler->leases, &held->lease_node, due) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  look_at(settler, held, due);
  return PUBSUB_OK;
}

void pubsub_settler_unlease(struct pubsub_settler *settler, struct pubsub_held *held) {
  pubsub_heap_remove(&settler->leases, &held->lease_node);
}

void pubsub_settler_renewed(struct pubsub_settler *settler, struct pubsub_held *held) {
  if (held->lease_node.index == 0) return;
  pubsub_lease_shorten(&held->lease, now_of(settler), (uint64_t)settler->deadline_s * 1000000);
  uint64_t due = pubsub_lease_due_us(&held->lease, settler->max_extension_us);
  if (due < held->lease_node.due) look_at(settler, held, due);
}

void pubsub_settler_receipt(struct pubsub_settler *settler, struct pubsub_held *held) {
  held->receipt = true;
  if (!held->extending.active) begin(settler, held, PUBSUB_ACK_KIND_EXTEND);
}

void pubsub_settler_settle(struct pubsub_settler *settler, struct pubsub_held *held) {
  uint64_t now = now_of(settler);
  pubsub_settler_unlease(settler, held);
  held->ordered = true;
  held->receipt = false;
  stop_extending(settler, held);
  if (held->expired) {
    maybe_settled(settler, held);
    return;
  }
  if (!held->nack) {
    pubsub_ack_latency_add(&settler->latency, now - held->lease.received_us, held->rows, now);
  }
  begin(settler, held, held->nack ? PUBSUB_ACK_KIND_NACK : PUBSUB_ACK_KIND_ACK);
}
