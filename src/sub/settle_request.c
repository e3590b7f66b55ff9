#include "sub/settler_inside.h"

#include "base/alloc.h"
#include "base/map.h"

#define CALL_TIMEOUT_US 60000000

static void unref(struct pubsub_settle_request *request) {
  if (--request->refs > 0) return;
  pubsub_ack_request_clear(&request->packed);
  pubsub_free(request);
}

static void release_segment(void *owner) {
  unref(owner);
}

void pubsub_settle_request_forget(struct pubsub_settle_request *request) {
  struct pubsub_settler *settler = request->settler;
  if (request->call) pubsub_call_cancel(request->call);
  request->call = NULL;
  pubsub_loop_timer_cancel(pubsub_settler_loop(settler), &request->retry);
  pubsub_list_remove(&request->link);
  --*pubsub_settler_count(settler, request->packed.kind);
  unref(request);
}

static void on_retry(struct pubsub_timer *timer) {
  pubsub_settle_request_send(PUBSUB_CONTAINER_OF(timer, struct pubsub_settle_request, retry));
}

static bool wanted(const struct pubsub_settle_request *request) {
  if (request->packed.kind != PUBSUB_ACK_KIND_EXTEND) return true;
  for (size_t i = 0; i < request->part_count; i++) {
    if (!request->parts[i].held->ordered && !request->parts[i].held->expired) return true;
  }
  return false;
}

static void retry_later(struct pubsub_settle_request *request) {
  static const struct pubsub_ack_outcomes none = {0};
  struct pubsub_settler *settler = request->settler;
  uint64_t due =
      pubsub_settler_now(settler) + pubsub_backoff_next_us(&request->backoff, &settler->rng);
  if (due >= request->until_us || !wanted(request)) {
    pubsub_settle_request_finish(request, &none, PUBSUB_ACK_OUTCOME_TRANSIENT);
  } else {
    pubsub_loop_timer_set(pubsub_settler_loop(settler), &request->retry, due);
  }
}

static bool is_permanent(const struct pubsub_error *error) {
  if (error->status != PUBSUB_E_GRPC) return false; /* network, protocol: passes */
  return !error->retryable && error->grpc_code != PUBSUB_GRPC_UNAUTHENTICATED;
}

/* The details speak of this request's ids, not of something else. */
static bool lists_any(const struct pubsub_settle_request *request,
                      const struct pubsub_ack_outcomes *outcomes) {
  struct pubsub_view id;
  size_t cursor = 0;
  while (outcomes->count > 0 && pubsub_ack_request_next_id(&request->packed, &cursor, &id)) {
    if (pubsub_ack_outcomes_find(outcomes, id) != PUBSUB_ACK_OUTCOME_GOOD) return true;
  }
  return false;
}

static void on_done(void *user, const struct pubsub_error *result, struct pubsub_view response,
                    struct pubsub_view details) {
  struct pubsub_settle_request *request = user;
  struct pubsub_ack_outcomes outcomes;
  (void)response;
  request->call = NULL;
  pubsub_ack_outcomes_read(&outcomes, details); /* no memory: the call counts as a whole */
  bool good = result->status == PUBSUB_OK;
  if (!good) request->settler->counts.failed_requests++;
  if (good || lists_any(request, &outcomes)) {
    bool passes = !good && result->retryable;
    pubsub_settle_request_finish(request, &outcomes,
                                 passes ? PUBSUB_ACK_OUTCOME_TRANSIENT : PUBSUB_ACK_OUTCOME_GOOD);
  } else if (is_permanent(result)) {
    outcomes.count = 0;
    pubsub_settle_request_finish(request, &outcomes, PUBSUB_ACK_OUTCOME_PERMANENT);
  } else {
    retry_later(request);
  }
  pubsub_ack_outcomes_clear(&outcomes);
}

void pubsub_settle_request_send(struct pubsub_settle_request *request) {
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

struct pubsub_settle_request *pubsub_settle_request_new(struct pubsub_settler *settler,
                                                        enum pubsub_ack_kind kind,
                                                        uint32_t deadline_s) {
  struct pubsub_settle_request *request = pubsub_alloc_zero(1, sizeof *request);
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
  request->until_us =
      settler->exactly_once ? pubsub_settler_now(settler) + PUBSUB_SETTLE_RETRY_FOR_US : UINT64_MAX;
  pubsub_backoff_init(&request->backoff, PUBSUB_SETTLE_FIRST_BACKOFF_US,
                      PUBSUB_SETTLE_MAX_BACKOFF_US);
  pubsub_list_push_back(&settler->in_flight, &request->link);
  ++*pubsub_settler_count(settler, kind);
  return request;
}
