#include "sub/settle_call.h"

#include "base/alloc.h"
#include "base/map.h"

#define CALL_TIMEOUT_US 60000000

static struct pubsub_loop *loop_of(const struct pubsub_settle_call *call) {
  return pubsub_channel_loop(call->line->channel);
}

size_t *pubsub_settle_line_count(struct pubsub_settle_line *line, enum pubsub_ack_kind kind) {
  return kind == PUBSUB_ACK_KIND_EXTEND ? &line->extending : &line->settling;
}

static void unref(struct pubsub_settle_call *call) {
  if (--call->refs > 0) return;
  pubsub_ack_request_clear(&call->packed);
  pubsub_free(call);
}

static void release_segment(void *owner) {
  unref(owner);
}

void pubsub_settle_call_forget(struct pubsub_settle_call *call) {
  if (call->call) pubsub_unary_cancel(call->call);
  call->call = NULL;
  pubsub_loop_timer_cancel(loop_of(call), &call->retry);
  pubsub_list_remove(&call->link);
  --*pubsub_settle_line_count(call->line, call->packed.kind);
  unref(call);
}

static void on_retry(struct pubsub_timer *timer) {
  pubsub_settle_call_send(PUBSUB_CONTAINER_OF(timer, struct pubsub_settle_call, retry));
}

static void finish(struct pubsub_settle_call *call, const struct pubsub_ack_outcomes *outcomes,
                   enum pubsub_ack_outcome unlisted) {
  call->line->on_outcomes(call->line->user, call, outcomes, unlisted);
}

static void retry_later(struct pubsub_settle_call *call) {
  static const struct pubsub_ack_outcomes none = {0};
  uint64_t due =
      pubsub_loop_now_us(loop_of(call)) + pubsub_backoff_next_us(&call->backoff, &call->line->rng);
  if (due >= call->until_us || !call->line->wanted(call->line->user, call)) {
    finish(call, &none, PUBSUB_ACK_OUTCOME_TRANSIENT);
  } else {
    pubsub_loop_timer_set(loop_of(call), &call->retry, due);
  }
}

static bool is_permanent(const struct pubsub_error *error) {
  if (error->status != PUBSUB_E_GRPC) return false; /* network, protocol: passes */
  return !error->retryable && error->grpc_code != PUBSUB_GRPC_UNAUTHENTICATED;
}

/* One id that the service cannot read fails all that came with it: which one shows when they are
 * sent in parts. */
static enum pubsub_ack_outcome permanent_outcome(const struct pubsub_settle_call *call,
                                                 const struct pubsub_error *error) {
  bool one_of_many = error->grpc_code == PUBSUB_GRPC_INVALID_ARGUMENT && call->packed.ids > 1;
  return one_of_many ? PUBSUB_ACK_OUTCOME_SPLIT : PUBSUB_ACK_OUTCOME_PERMANENT;
}

/* The details speak of this call's ids, not of something else. */
static bool lists_any(const struct pubsub_settle_call *call,
                      const struct pubsub_ack_outcomes *outcomes) {
  struct pubsub_view id;
  size_t cursor = 0;
  while (outcomes->count > 0 && pubsub_ack_request_next_id(&call->packed, &cursor, &id)) {
    if (pubsub_ack_outcomes_find(outcomes, id) != PUBSUB_ACK_OUTCOME_GOOD) return true;
  }
  return false;
}

static void on_done(void *user, const struct pubsub_error *result, struct pubsub_view response,
                    struct pubsub_view details) {
  struct pubsub_settle_call *call = user;
  struct pubsub_ack_outcomes outcomes;
  (void)response;
  call->call = NULL;
  pubsub_ack_outcomes_read(&outcomes, details); /* no memory: the call counts as a whole */
  bool good = result->status == PUBSUB_OK;
  if (!good) call->line->counts.failed_requests++;
  if (good || lists_any(call, &outcomes)) {
    bool passes = !good && result->retryable;
    finish(call, &outcomes, passes ? PUBSUB_ACK_OUTCOME_TRANSIENT : PUBSUB_ACK_OUTCOME_GOOD);
  } else if (is_permanent(result)) {
    pubsub_ack_outcomes_clear(&outcomes);
    finish(call, &outcomes, permanent_outcome(call, result));
  } else {
    retry_later(call);
  }
  pubsub_ack_outcomes_clear(&outcomes);
}

void pubsub_settle_call_send(struct pubsub_settle_call *call) {
  PUBSUB_ON_LOOP(pubsub_channel_loop(call->line->channel));
  struct pubsub_settle_line *line = call->line;
  bool ack = call->packed.kind == PUBSUB_ACK_KIND_ACK;
  struct pubsub_call_options options = {.method =
                                            ack ? "/google.pubsub.v1.Subscriber/Acknowledge"
                                                : "/google.pubsub.v1.Subscriber/ModifyAckDeadline",
                                        .routing_header = line->routing_header,
                                        .timeout_us = CALL_TIMEOUT_US};
  struct pubsub_segment segment = {call->packed.bytes.ptr, call->packed.bytes.len, release_segment,
                                   call};
  struct pubsub_error error = {0};
  line->counts.ack_requests += ack;
  line->counts.extend_requests += call->packed.kind == PUBSUB_ACK_KIND_EXTEND;
  call->refs++;
  if (pubsub_unary_start(line->channel, &options, &segment, 1, on_done, call, &call->call,
                         &error) == PUBSUB_OK) {
    return;
  }
  call->refs--;
  call->call = NULL;
  line->counts.failed_requests++;
  retry_later(call);
}

struct pubsub_settle_call *pubsub_settle_call_new(struct pubsub_settle_line *line,
                                                  enum pubsub_ack_kind kind, uint32_t deadline_s,
                                                  bool outcomes) {
  struct pubsub_settle_call *call = pubsub_alloc_zero(1, sizeof *call);
  if (!call) return NULL;
  if (pubsub_ack_request_begin(&call->packed, kind, line->subscription, deadline_s, outcomes) !=
      PUBSUB_OK) {
    pubsub_ack_request_clear(&call->packed);
    pubsub_free(call);
    return NULL;
  }
  call->line = line;
  call->refs = 1;
  call->retry.run = on_retry;
  call->until_us = UINT64_MAX;
  pubsub_backoff_init(&call->backoff, PUBSUB_SETTLE_FIRST_BACKOFF_US, PUBSUB_SETTLE_MAX_BACKOFF_US);
  pubsub_list_push_back(&line->in_flight, &call->link);
  ++*pubsub_settle_line_count(line, kind);
  return call;
}
