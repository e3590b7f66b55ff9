#include "sub/settler.h"

#include "base/alloc.h"
#include "base/map.h"
#include "grpc/routing.h"

#define MAX_IN_FLIGHT 8 /* of extensions, and of all else: neither waits for the other */

static uint64_t now_us(const struct pubsub_settler *settler) {
  return pubsub_loop_now_us(settler->loop);
}

static struct pubsub_pass *pass_of(struct pubsub_held *held, enum pubsub_ack_kind kind) {
  return kind == PUBSUB_ACK_KIND_EXTEND ? &held->loop.extending : &held->loop.settling;
}

static void wake(struct pubsub_settler *settler) { /* packs what is queued, soon */
  pubsub_loop_defer(settler->loop, &settler->pump);
}

/* ---- passes ---- */

static void begin(struct pubsub_settler *settler, struct pubsub_held *held,
                  enum pubsub_ack_kind kind) {
  struct pubsub_pass *pass = pass_of(held, kind);
  pass->owner = held;
  pass->kind = (int)kind;
  if (kind == PUBSUB_ACK_KIND_EXTEND) held->loop.unextended = false;
  pubsub_pass_begin(pass, held->loop.ack_ids.count, now_us(settler));
  pubsub_list_push_back(&settler->queues[kind], &pass->link);
  wake(settler);
}

static void stop_extending(struct pubsub_settler *settler, struct pubsub_held *held) {
  struct pubsub_pass *pass = &held->loop.extending;
  if (!pass->active) return;
  pubsub_list_remove(&pass->link);
  pubsub_heap_remove(&settler->retries, &pass->retry);
  pubsub_pass_cut(pass);
  if (pass->unconfirmed == 0) pubsub_pass_end(pass);
}

static void schedule_retries(struct pubsub_settler *settler) {
  struct pubsub_heap_node *first = pubsub_heap_top(&settler->retries);
  if (first) pubsub_loop_timer_set(settler->loop, &settler->retry_timer, first->due);
}

static void on_retry_timer(struct pubsub_timer *timer) {
  struct pubsub_settler *settler = PUBSUB_CONTAINER_OF(timer, struct pubsub_settler, retry_timer);
  struct pubsub_heap_node *first;
  while ((first = pubsub_heap_top(&settler->retries)) && first->due <= now_us(settler)) {
    struct pubsub_pass *pass = PUBSUB_CONTAINER_OF(first, struct pubsub_pass, retry);
    pubsub_heap_remove(&settler->retries, first);
    pubsub_list_push_back(&settler->queues[pass->kind], &pass->link);
  }
  schedule_retries(settler);
  wake(settler);
}

/* ---- packing ---- */

static uint32_t deadline_for(const struct pubsub_settler *settler, const struct pubsub_held *held) {
  uint64_t age_us = now_us(settler) - held->loop.lease.received_us;
  return pubsub_ack_latency_deadline_s(&settler->latency, age_us, settler->deadline_s,
                                       settler->exactly_once);
}

/* Where acknowledgements are not confirmed one by one, only the clock tells that one came too
 * late. */
static void note_end(struct pubsub_settler *settler, struct pubsub_held *held) {
  if (settler->exactly_once || held->loop.lost_lease || held->loop.late_lease) return;
  if (!pubsub_lease_has_ended(&held->loop.lease, now_us(settler))) return;
  held->loop.late_lease = true;
  settler->handler->on_lost(settler->user, held);
}

/* The chunk's lease runs anew from the request that has its first ids; repeating it makes sense
 * while the old one runs. */
static void grant(struct pubsub_settler *settler, struct pubsub_settle_call *call,
                  struct pubsub_held *held, uint32_t deadline_s) {
  uint64_t end = pubsub_lease_end_us(&held->loop.lease);
  if (end < call->until_us) call->until_us = end;
  if (!pubsub_leases_watches(held)) return;
  note_end(settler, held);
  if (held->loop.extending.rows) return; /* a turn of some rows */
  pubsub_leases_extended(&settler->leases, held, (uint64_t)deadline_s * 1000000);
}

/* Ids of the queue's first pass. False: the call takes no more. */
static bool pack_one(struct pubsub_settler *settler, struct pubsub_settle_call *call,
                     uint32_t deadline_s) {
  enum pubsub_ack_kind kind = call->packed.kind;
  struct pubsub_pass *pass =
      PUBSUB_CONTAINER_OF(settler->queues[kind].next, struct pubsub_pass, link);
  struct pubsub_held *held = pass->owner;
  uint32_t first = pass->next;
  if (pass->limit > 0 && call->packed.ids > 0) return false;
  uint32_t added = pubsub_ack_request_add(&call->packed, &held->loop.ack_ids, pass->rows,
                                          pubsub_pass_end_of_part(pass), &pass->next);
  if (added > 0) {
    call->parts[call->part_count++] = (struct pubsub_settle_part){held, first, added};
    pass->unconfirmed += added;
    if (kind == PUBSUB_ACK_KIND_EXTEND) grant(settler, call, held, deadline_s);
  }
  if (pass->next < pass->count) return false; /* full, or no memory */
  pubsub_list_remove(&pass->link);
  return pass->limit == 0;
}

/* False: no memory. */
static bool send_next(struct pubsub_settler *settler, enum pubsub_ack_kind kind) {
  struct pubsub_list *queue = &settler->queues[kind];
  struct pubsub_pass *first = PUBSUB_CONTAINER_OF(queue->next, struct pubsub_pass, link);
  uint32_t deadline_s = deadline_for(settler, first->owner);
  struct pubsub_settle_call *call =
      pubsub_settle_call_new(&settler->line, kind, deadline_s, settler->exactly_once);
  if (!call) return false;
  /* Without exactly-once an acknowledgement may be repeated freely. */
  if (settler->exactly_once) call->until_us = now_us(settler) + PUBSUB_SETTLE_RETRY_FOR_US;
  while (!pubsub_list_empty(queue) && call->part_count < PUBSUB_SETTLE_PARTS &&
         pack_one(settler, call, deadline_s)) {}
  if (call->part_count == 0) {
    pubsub_settle_call_forget(call);
    return false;
  }
  pubsub_settle_call_send(call);
  return true;
}

static void on_pump(struct pubsub_deferred *deferred) {
  struct pubsub_settler *settler = PUBSUB_CONTAINER_OF(deferred, struct pubsub_settler, pump);
  /* Extensions first: they are what keeps everything else valid. */
  static const enum pubsub_ack_kind order[] = {PUBSUB_ACK_KIND_EXTEND, PUBSUB_ACK_KIND_ACK,
                                               PUBSUB_ACK_KIND_NACK};
  for (size_t i = 0; i < 3; i++) {
    while (!pubsub_list_empty(&settler->queues[order[i]]) &&
           *pubsub_settle_line_count(&settler->line, order[i]) < MAX_IN_FLIGHT) {
      if (send_next(settler, order[i])) continue;
      pubsub_loop_timer_set(settler->loop, &settler->retry_timer,
                            now_us(settler) + PUBSUB_SETTLE_FIRST_BACKOFF_US);
      return;
    }
  }
}

/* ---- outcomes ---- */

static bool is_wanted(void *user, const struct pubsub_settle_call *call) {
  (void)user;
  if (call->packed.kind != PUBSUB_ACK_KIND_EXTEND) return true;
  for (size_t i = 0; i < call->part_count; i++) {
    const struct pubsub_held *held = call->parts[i].held;
    if (!pubsub_held_is_settling(held) && !held->loop.lost_lease) return true;
  }
  return false;
}

static void fail_row(struct pubsub_settler *settler, struct pubsub_held *held, uint32_t row) {
  held->loop.failed_rows++;
  settler->handler->on_row_failed(settler->user, held, row);
}

/* An id that is to be sent again joins its chunk's next turn. False: it cannot. */
static bool send_again(struct pubsub_settler *settler, struct pubsub_pass *pass, uint32_t row,
                       enum pubsub_ack_outcome outcome, uint32_t ids) {
  if (outcome == PUBSUB_ACK_OUTCOME_SPLIT) return pubsub_pass_split(pass, row, ids) == PUBSUB_OK;
  if (pubsub_pass_again(pass, row) != PUBSUB_OK) return false;
  settler->line.counts.retried_rows += outcome == PUBSUB_ACK_OUTCOME_TRANSIENT;
  return true;
}

static void row_outcome(struct pubsub_settler *settler, const struct pubsub_settle_call *call,
                        struct pubsub_held *held, uint32_t row, enum pubsub_ack_outcome outcome,
                        struct pubsub_view sent) {
  struct pubsub_pass *pass = pass_of(held, call->packed.kind);
  const struct pubsub_ack_ids *ids = &held->loop.ack_ids;
  bool extend = call->packed.kind == PUBSUB_ACK_KIND_EXTEND;
  bool receipt = pubsub_held_awaits_receipt(held);
  bool renewed = ids->ends && !pubsub_view_equal(pubsub_ack_ids_at(ids, row), sent);
  /* A receipt is of the newest id; an acknowledgement is good with any. */
  if (outcome == PUBSUB_ACK_OUTCOME_GOOD && !(renewed && receipt)) return;
  bool again = renewed || outcome != PUBSUB_ACK_OUTCOME_PERMANENT;
  bool wanted = !extend || !pubsub_held_is_settling(held);
  bool young = now_us(settler) < pass->began_us + PUBSUB_SETTLE_RETRY_FOR_US;
  if (again && wanted && young && send_again(settler, pass, row, outcome, call->packed.ids)) return;
  /* One that was found by sending it alone stays so alone. */
  bool alone = call->packed.ids == 1 && pass->count > 1;
  held->loop.unextended = held->loop.unextended || (extend && !alone);
  if (!extend) {
    fail_row(settler, held, row);
  } else if (receipt) {
    pubsub_held_drop_row(held, row);
  }
}

static void maybe_settled(struct pubsub_settler *settler, struct pubsub_held *held) {
  /* An extension under way still points to the chunk. */
  if (!pubsub_held_is_settling(held)) return;
  if (held->loop.settling.active || held->loop.extending.active) return;
  settler->handler->on_settled(settler->user, held);
}

static void next_turn(struct pubsub_settler *settler, struct pubsub_pass *pass) {
  struct pubsub_backoff backoff = {PUBSUB_SETTLE_FIRST_BACKOFF_US, PUBSUB_SETTLE_MAX_BACKOFF_US,
                                   pass->turns};
  uint64_t wait_us = pass->split ? 0 : pubsub_backoff_next_us(&backoff, &settler->line.rng);
  pubsub_pass_next_turn(pass);
  pubsub_heap_set(&settler->retries, &pass->retry, now_us(settler) + wait_us);
  schedule_retries(settler);
}

static void turn_over(struct pubsub_settler *settler, struct pubsub_held *held,
                      struct pubsub_pass *pass) {
  bool extend = pass->kind == PUBSUB_ACK_KIND_EXTEND;
  if (extend && (pubsub_held_is_settling(held) || held->loop.lost_lease)) pubsub_pass_cut(pass);
  if (pass->again_count > 0) {
    next_turn(settler, pass);
    return;
  }
  pubsub_pass_end(pass);
  if (extend && !held->loop.unextended) pubsub_lease_confirm(&held->loop.lease);
  if (extend && pubsub_held_receipt_over(held)) {
    settler->handler->on_receipt(settler->user, held);
  } else {
    maybe_settled(settler, held);
  }
}

static bool any_renewed(const struct pubsub_settle_call *call) {
  for (size_t i = 0; i < call->part_count; i++) {
    if (call->parts[i].held->loop.ack_ids.ends) return true;
  }
  return false;
}

static void each_row_outcome(struct pubsub_settler *settler, const struct pubsub_settle_call *call,
                             const struct pubsub_ack_outcomes *outcomes,
                             enum pubsub_ack_outcome unlisted) {
  struct pubsub_view sent = {0};
  size_t cursor = 0;
  for (size_t i = 0; i < call->part_count; i++) {
    const struct pubsub_settle_part *part = &call->parts[i];
    const struct pubsub_pass *pass = pass_of(part->held, call->packed.kind);
    for (uint32_t k = 0; k < part->ids; k++) {
      pubsub_ack_request_next_id(&call->packed, &cursor, &sent);
      enum pubsub_ack_outcome outcome = pubsub_ack_outcomes_find(outcomes, sent);
      if (outcome == PUBSUB_ACK_OUTCOME_GOOD) outcome = unlisted;
      row_outcome(settler, call, part->held, pubsub_pass_row(pass, part->first + k), outcome, sent);
    }
  }
}

static void on_outcomes(void *user, struct pubsub_settle_call *call,
                        const struct pubsub_ack_outcomes *outcomes,
                        enum pubsub_ack_outcome unlisted) {
  struct pubsub_settler *settler = user;
  enum pubsub_ack_kind kind = call->packed.kind;
  struct pubsub_settle_part parts[PUBSUB_SETTLE_PARTS];
  size_t count = call->part_count;
  if (outcomes->count > 0 || unlisted != PUBSUB_ACK_OUTCOME_GOOD || any_renewed(call)) {
    each_row_outcome(settler, call, outcomes, unlisted);
  }
  memcpy(parts, call->parts, count * sizeof *parts);
  pubsub_settle_call_forget(call);
  for (size_t i = 0; i < count; i++) {
    struct pubsub_pass *pass = pass_of(parts[i].held, kind);
    pass->unconfirmed -= parts[i].ids;
    if (pubsub_pass_turn_over(pass)) turn_over(settler, parts[i].held, pass);
  }
  wake(settler);
}

/* ---- leases ---- */

static void extend(struct pubsub_settler *settler, struct pubsub_held *held) {
  struct pubsub_pass *pass = &held->loop.extending;
  if (!pass->active) {
    begin(settler, held, PUBSUB_ACK_KIND_EXTEND);
  } else if (pubsub_heap_has(&pass->retry)) { /* some rows wait for their turn: all need it now */
    uint64_t began_us = pass->began_us;
    pubsub_heap_remove(&settler->retries, &pass->retry);
    begin(settler, held, PUBSUB_ACK_KIND_EXTEND);
    pass->began_us = began_us;
  }
}

static void give_up(struct pubsub_settler *settler, struct pubsub_held *held) {
  bool receipt = pubsub_held_awaits_receipt(held);
  held->loop.lost_lease = true;
  if (receipt) held->loop.drop_all = true;
  stop_extending(settler, held);
  if (!held->loop.late_lease) settler->handler->on_lost(settler->user, held);
  if (receipt && !held->loop.extending.active && pubsub_held_receipt_over(held)) {
    settler->handler->on_receipt(settler->user, held);
  }
}

static void on_due(void *user, struct pubsub_held *held, enum pubsub_lease_action action) {
  note_end(user, held);
  if (action == PUBSUB_LEASE_EXTEND) {
    extend(user, held);
  } else {
    give_up(user, held);
  }
}

void pubsub_settler_lease(struct pubsub_settler *settler, struct pubsub_held *held,
                          uint64_t received_us) {
  PUBSUB_ON_LOOP(settler->loop);
  pubsub_leases_watch(&settler->leases, held, received_us, (uint64_t)settler->deadline_s * 1000000);
}

void pubsub_settler_unlease(struct pubsub_settler *settler, struct pubsub_held *held) {
  pubsub_leases_forget(&settler->leases, held);
}

void pubsub_settler_renewed(struct pubsub_settler *settler, struct pubsub_held *held) {
  PUBSUB_ON_LOOP(settler->loop);
  pubsub_leases_renewed(&settler->leases, held, (uint64_t)settler->deadline_s * 1000000);
}

void pubsub_settler_receipt(struct pubsub_settler *settler, struct pubsub_held *held) {
  PUBSUB_ON_LOOP(settler->loop);
  pubsub_held_await_receipt(held);
  if (!held->loop.extending.active) begin(settler, held, PUBSUB_ACK_KIND_EXTEND);
}

void pubsub_settler_settle(struct pubsub_settler *settler, struct pubsub_held *held) {
  PUBSUB_ON_LOOP(settler->loop);
  uint64_t now = now_us(settler);
  bool nack = held->shared.nack; /* constant once it was asked */
  pubsub_leases_forget(&settler->leases, held);
  stop_extending(settler, held);
  if (held->loop.lost_lease) {
    maybe_settled(settler, held);
    return;
  }
  if (!nack) note_end(settler, held);
  if (!nack) {
    uint64_t held_us = now - held->loop.lease.received_us;
    pubsub_ack_latency_add(&settler->latency, held_us, held->rows, now);
  }
  begin(settler, held, nack ? PUBSUB_ACK_KIND_NACK : PUBSUB_ACK_KIND_ACK);
}

/* ---- the settler itself ---- */

enum pubsub_status pubsub_settler_init(struct pubsub_settler *settler,
                                       const struct pubsub_settler_options *options,
                                       const struct pubsub_settler_handler *handler, void *user) {
  settler->handler = handler;
  settler->user = user;
  settler->deadline_s = options->deadline_s;
  settler->routing_header = pubsub_routing_header("subscription", options->subscription);
  if (!settler->routing_header) return PUBSUB_E_NOMEM;
  settler->loop = pubsub_channel_loop(options->channel);
  settler->line = (struct pubsub_settle_line){.channel = options->channel,
                                              .subscription = options->subscription,
                                              .routing_header = settler->routing_header,
                                              .wanted = is_wanted,
                                              .on_outcomes = on_outcomes,
                                              .user = settler};
  pubsub_rng_seed_random(&settler->line.rng);
  pubsub_list_init(&settler->line.in_flight);
  for (int i = 0; i < PUBSUB_ACK_KIND_COUNT; i++)
    pubsub_list_init(&settler->queues[i]);
  pubsub_list_init(&settler->pump.link);
  settler->pump.run = on_pump;
  settler->retry_timer.run = on_retry_timer;
  pubsub_leases_init(&settler->leases, settler->loop, options->max_extension_us);
  settler->leases.on_due = on_due;
  settler->leases.user = settler;
  return PUBSUB_OK;
}

void pubsub_settler_clear(struct pubsub_settler *settler) {
  if (!settler->routing_header) return;
  while (!pubsub_list_empty(&settler->line.in_flight)) {
    pubsub_settle_call_forget(
        PUBSUB_CONTAINER_OF(settler->line.in_flight.next, struct pubsub_settle_call, link));
  }
  pubsub_leases_clear(&settler->leases);
  pubsub_loop_timer_cancel(settler->loop, &settler->retry_timer);
  pubsub_loop_defer_cancel(settler->loop, &settler->pump);
  pubsub_heap_clear(&settler->retries);
  pubsub_free(settler->routing_header);
  settler->routing_header = NULL;
}
