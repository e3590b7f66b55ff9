#include "sub/settler_inside.h"

#include "base/map.h"

static void fail_row(struct pubsub_settler *settler, struct pubsub_held *held, uint32_t row) {
  held->failed_rows++;
  settler->on_row_failed(settler->user, held, row);
}

static void row_outcome(struct pubsub_settler *settler, struct pubsub_held *held,
                        enum pubsub_ack_kind kind, uint32_t row, enum pubsub_ack_outcome outcome,
                        struct pubsub_view sent) {
  struct pubsub_pass *pass = pubsub_settler_pass(held, kind);
  bool extend = kind == PUBSUB_ACK_KIND_EXTEND, transient = outcome == PUBSUB_ACK_OUTCOME_TRANSIENT;
  bool renewed =
      held->ack_ids.ends && !pubsub_view_equal(pubsub_ack_ids_at(&held->ack_ids, row), sent);
  /* A receipt is of the newest id; an acknowledgement is good with any. */
  if (outcome == PUBSUB_ACK_OUTCOME_GOOD && !(renewed && held->receipt)) return;
  bool wanted = !extend || !held->ordered;
  bool young = pubsub_settler_now(settler) < pass->began_us + PUBSUB_SETTLE_RETRY_FOR_US;
  if ((transient || renewed) && wanted && young && pubsub_pass_again(pass, row) == PUBSUB_OK) {
    if (transient) settler->counts.retried_rows++;
  } else if (!extend) {
    fail_row(settler, held, row);
  } else if (held->receipt) {
    pubsub_held_drop_row(held, row);
  }
}

void pubsub_settler_maybe_settled(struct pubsub_settler *settler, struct pubsub_held *held) {
  /* An extension under way still points to the chunk. */
  if (!held->ordered || held->settling.active || held->extending.active) return;
  settler->on_settled(settler->user, held);
}

static void next_turn(struct pubsub_settler *settler, struct pubsub_pass *pass) {
  struct pubsub_backoff backoff = {PUBSUB_SETTLE_FIRST_BACKOFF_US, PUBSUB_SETTLE_MAX_BACKOFF_US,
                                   pass->turns};
  pubsub_pass_next_turn(pass);
  uint64_t due = pubsub_settler_now(settler) + pubsub_backoff_next_us(&backoff, &settler->rng);
  pubsub_heap_set(&settler->retries, &pass->retry, due);
  pubsub_settler_schedule_retries(settler);
}

static void turn_over(struct pubsub_settler *settler, struct pubsub_held *held,
                      struct pubsub_pass *pass) {
  if (pass->kind == PUBSUB_ACK_KIND_EXTEND && (held->ordered || held->expired)) {
    pubsub_pass_cut(pass);
  }
  if (pass->again_count > 0) {
    next_turn(settler, pass);
    return;
  }
  bool receipt = pass->kind == PUBSUB_ACK_KIND_EXTEND && held->receipt;
  pubsub_pass_end(pass);
  if (receipt && !held->ordered) {
    held->receipt = false;
    settler->on_receipt(settler->user, held);
    return;
  }
  pubsub_settler_maybe_settled(settler, held);
}

static bool any_renewed(const struct pubsub_settle_request *request) {
  for (size_t i = 0; i < request->part_count; i++) {
    if (request->parts[i].held->ack_ids.ends) return true;
  }
  return false;
}

void pubsub_settle_request_finish(struct pubsub_settle_request *request,
                                  const struct pubsub_ack_outcomes *outcomes,
                                  enum pubsub_ack_outcome unlisted) {
  struct pubsub_settler *settler = request->settler;
  enum pubsub_ack_kind kind = request->packed.kind;
  struct pubsub_settle_part parts[PUBSUB_SETTLE_PARTS];
  size_t count = request->part_count, cursor = 0;
  struct pubsub_view sent = {0};
  bool each = outcomes->count > 0 || unlisted != PUBSUB_ACK_OUTCOME_GOOD || any_renewed(request);
  for (size_t i = 0; i < count && each; i++) {
    const struct pubsub_settle_part *part = &request->parts[i];
    for (uint32_t k = 0; k < part->ids; k++) {
      pubsub_ack_request_next_id(&request->packed, &cursor, &sent);
      enum pubsub_ack_outcome outcome = pubsub_ack_outcomes_find(outcomes, sent);
      if (outcome == PUBSUB_ACK_OUTCOME_GOOD) outcome = unlisted;
      uint32_t row = pubsub_pass_row(pubsub_settler_pass(part->held, kind), part->first + k);
      row_outcome(settler, part->held, kind, row, outcome, sent);
    }
  }
  memcpy(parts, request->parts, count * sizeof *parts);
  pubsub_settle_request_forget(request);
  for (size_t i = 0; i < count; i++) {
    struct pubsub_pass *pass = pubsub_settler_pass(parts[i].held, kind);
    pass->unconfirmed -= parts[i].ids;
    if (pubsub_pass_turn_over(pass)) turn_over(settler, parts[i].held, pass);
  }
  pubsub_settler_wake(settler);
}
