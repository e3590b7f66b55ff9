/*
 * StreamingPull. Messages go to the streams of a subscription in turns, a response each, as far as
 * their flow limits and their queue of unsent bytes allow.
 */
#include "api/confirmation.h"
#include "api/methods.h"
#include "api/received.h"
#include "api/resources.h"
#include "base/alloc.h"
#include "faults/faults.h"
#include "model/backlog.h"
#include "model/delivery.h"

#define RESPONSE_BYTES ((size_t)256 * 1024)
#define MAX_QUEUED_BYTES ((size_t)1 << 20)
#define KEEPALIVE_QUEUED_BYTES ((size_t)4096)

struct stream {
  struct consumer consumer; /* consumer.subscription NULL: not opened yet, or ended */
  struct call *call;
  uint64_t max_messages, max_bytes; /* UINT64_MAX: no limit */
  uint32_t deadline_s;
  bool keepalive; /* protocol version 1: an empty request is answered */
  bool held;      /* a fault: serve nothing (yet) */
  struct alarm unhold, lifetime;
};

static struct stream *of(struct consumer *consumer) {
  return PUBSUB_CONTAINER_OF(consumer, struct stream, consumer);
}

static bool stream_has_room(const struct stream *stream) {
  return !stream->held && stream->consumer.outstanding_messages < stream->max_messages &&
         stream->consumer.outstanding_bytes < stream->max_bytes &&
         call_queued_bytes(stream->call) < MAX_QUEUED_BYTES;
}

/* Told in every response of a subscription that has them: clients take their absence for false. */
static enum pubsub_status add_properties(const struct subscription *subscription,
                                         struct pubsub_buf *response) {
  enum { PROPERTIES = 4 << 3 | 2, EXACTLY_ONCE = 1 << 3, ORDERING = 2 << 3 };
  bool exactly_once = subscription->config->enable_exactly_once_delivery;
  bool ordering = subscription->config->enable_message_ordering;
  if (!exactly_once && !ordering) return PUBSUB_OK;
  const uint8_t bytes[] = {PROPERTIES, 4, EXACTLY_ONCE, exactly_once, ORDERING, ordering};
  return pubsub_buf_append(response, bytes, sizeof bytes);
}

static void send_response(struct stream *stream, struct pubsub_buf *take_response) {
  add_properties(stream->consumer.subscription, take_response);
  struct pubsub_segment segment = pubsub_segment_from_buf(take_response);
  call_send(stream->call, &segment, segment.len > 0 ? 1 : 0);
}

static uint64_t due_of(struct stream *stream, uint64_t now) {
  struct faults *faults = stream->call->broker->faults;
  const struct fault *expire =
      faults->count > 0 ? faults_draw(faults, stream->call->method->path, FAULT_EXPIRE) : NULL;
  return now + (expire ? expire->us : (uint64_t)stream->deadline_s * 1000000);
}

static void maybe_duplicate(struct stream *stream, const struct message *message) {
  struct faults *faults = stream->call->broker->faults;
  if (faults->count == 0 || !faults_draw(faults, stream->call->method->path, FAULT_DUPLICATE))
    return;
  struct message *copy = message_copy(message);
  if (copy) backlog_add(stream->consumer.subscription, copy);
}

/* One response's worth. False: there was nothing to lend, or no room. */
static bool serve(struct consumer *consumer, size_t most) {
  struct stream *stream = of(consumer);
  struct subscription *subscription = consumer->subscription;
  struct pubsub_buf response = {0};
  uint64_t now = clock_now_us(&subscription->world->clock);
  size_t likely = subscription->ready_count < most ? subscription->ready_count : most;
  for (size_t i = 0; i < most && response.len < RESPONSE_BYTES && stream_has_room(stream); i++) {
    struct message *message = backlog_lend(subscription, consumer, due_of(stream, now));
    if (!message) break;
    size_t bytes = received_bytes(subscription, message);
    /* Ends before one that would make us copy what is there. */
    bool full =
        response.len > 0 && response.len + bytes > response.cap && response.cap >= RESPONSE_BYTES;
    size_t room = likely > 8 ? RESPONSE_BYTES : 0;
    if (full || pubsub_buf_reserve(&response, bytes > room ? bytes : room) != PUBSUB_OK) {
      backlog_unlend(subscription, message);
      break;
    }
    uint8_t *end = received_write(subscription, message, response.ptr + response.len);
    response.len = (size_t)(end - response.ptr);
    maybe_duplicate(stream, message);
  }
  if (response.len == 0) return false;
  send_response(stream, &response);
  return true;
}

static uint64_t limit(int64_t asked) {
  return asked <= 0 ? UINT64_MAX : (uint64_t)asked;
}

static void on_unhold(struct alarm *alarm) {
  struct stream *stream = PUBSUB_CONTAINER_OF(alarm, struct stream, unhold);
  stream->held = false;
  delivery_wake(stream->consumer.subscription);
}

static void leave(struct stream *stream) {
  struct subscription *subscription = stream->consumer.subscription;
  if (!subscription) return;
  clock_alarm_cancel(&subscription->world->clock, &stream->unhold);
  clock_alarm_cancel(&subscription->world->clock, &stream->lifetime);
  subscription_touch(subscription);
  backlog_forget(subscription, &stream->consumer);
  pubsub_list_remove(&stream->consumer.link);
  stream->consumer.subscription = NULL;
}

static void on_lifetime_over(struct alarm *alarm) {
  struct stream *stream = PUBSUB_CONTAINER_OF(alarm, struct stream, lifetime);
  leave(stream);
  call_fail(stream->call, PUBSUB_GRPC_UNAVAILABLE, "the stream has been open for long enough");
}

/* True: the headers are to come late. */
static bool take_faults(struct stream *stream) {
  struct clock *clock = &stream->consumer.subscription->world->clock;
  struct faults *faults = stream->call->broker->faults;
  const char *path = stream->call->method->path;
  const struct fault *fault;
  uint64_t now = clock_now_us(clock);
  if (faults->count == 0) return false;
  stream->unhold.run = on_unhold;
  stream->lifetime.run = on_lifetime_over;
  if (faults_draw(faults, path, FAULT_STALL)) stream->held = true;
  if ((fault = faults_draw(faults, path, FAULT_LATENCY))) {
    stream->held = true;
    clock_alarm_set(clock, &stream->unhold, now + fault->us);
  }
  if ((fault = faults_draw(faults, path, FAULT_LIFETIME))) {
    clock_alarm_set(clock, &stream->lifetime, now + fault->us);
  }
  if (faults_draw(faults, path, FAULT_SILENT)) stream->keepalive = false;
  return faults_draw(faults, path, FAULT_LATE_HEADERS) != NULL;
}

static void end(struct consumer *consumer, int grpc_code, const char *why) {
  struct stream *stream = of(consumer);
  leave(stream);
  call_fail(stream->call, grpc_code, "%s", why);
}

static bool has_room(const struct consumer *consumer) {
  return stream_has_room(PUBSUB_CONTAINER_OF(consumer, struct stream, consumer));
}

static const struct consumer_ops ops = {.has_room = has_room, .serve = serve, .end = end};

static void open_stream(struct call *call,
                        const Google__Pubsub__V1__StreamingPullRequest *request) {
  if (request->subscription[0] == '\0') {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "the first request must name a subscription");
    return;
  }
  struct subscription *subscription = require_subscription(call, request->subscription);
  if (!subscription) return;
  if (subscription->detached) {
    call_fail(call, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription is detached");
    return;
  }
  int32_t deadline = request->stream_ack_deadline_seconds;
  if (deadline < 10 || deadline > 600) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT,
              "stream_ack_deadline_seconds is %d; it must be between 10 and 600", deadline);
    return;
  }
  struct stream *stream = pubsub_alloc_zero(1, sizeof *stream);
  if (!stream) {
    fail_no_memory(call);
    return;
  }
  *stream = (struct stream){.call = call,
                            .max_messages = limit(request->max_outstanding_messages),
                            .max_bytes = limit(request->max_outstanding_bytes),
                            .deadline_s = (uint32_t)deadline,
                            .keepalive = request->protocol_version == 1};
  consumer_init(&stream->consumer, &ops, subscription);
  call->state = stream;
  pubsub_list_push_back(&subscription->streams, &stream->consumer.link);
  if (!take_faults(stream)) call_start(call);
  delivery_wake(subscription);
}

/* What a client is told of its acknowledgements under exactly-once delivery. */
static void confirm(struct stream *stream, const struct outcome *acked,
                    const struct outcome *modified) {
  struct pubsub_buf response = {0};
  if (confirmation_write(acked, modified, &response) == PUBSUB_OK && response.len > 0) {
    send_response(stream, &response);
  }
  pubsub_buf_clear(&response);
}

static void settle(struct stream *stream, const Google__Pubsub__V1__StreamingPullRequest *request) {
  struct subscription *subscription = stream->consumer.subscription;
  struct faults *faults = stream->call->broker->faults;
  const char *path = stream->call->method->path;
  struct outcome acked = {0}, modified = {0};
  if (faults->count > 0 && request->n_ack_ids + request->n_modify_deadline_ack_ids > 0 &&
      faults_draw(faults, path, FAULT_DROP_ACKS)) {
    return;
  }
  if (!require_room(stream->call, request->n_ack_ids + request->n_modify_deadline_ack_ids)) return;
  for (size_t i = 0; i < request->n_ack_ids; i++) {
    struct pubsub_view id = pubsub_view_str(request->ack_ids[i]);
    if (outcome_check(&acked, subscription, stream->call, id)) {
      backlog_acknowledge(subscription, lending_find(subscription, id));
    }
  }
  for (size_t i = 0; i < request->n_modify_deadline_ack_ids; i++) {
    struct pubsub_view id = pubsub_view_str(request->modify_deadline_ack_ids[i]);
    if (outcome_check(&modified, subscription, stream->call, id)) {
      backlog_set_deadline(subscription, lending_find(subscription, id),
                           (uint32_t)request->modify_deadline_seconds[i]);
    }
  }
  confirm(stream, &acked, &modified);
  outcome_clear(&acked);
  outcome_clear(&modified);
}

static bool check_request(struct call *call,
                          const Google__Pubsub__V1__StreamingPullRequest *request) {
  if (request->n_modify_deadline_seconds != request->n_modify_deadline_ack_ids) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT,
              "modify_deadline_seconds and modify_deadline_ack_ids differ in length");
    return false;
  }
  for (size_t i = 0; i < request->n_modify_deadline_seconds; i++) {
    if (request->modify_deadline_seconds[i] < 0 || request->modify_deadline_seconds[i] > 600) {
      call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "an ack deadline is not between 0 and 600 s");
      return false;
    }
  }
  if (!call->state) return true;
  if (request->subscription[0] || request->client_id[0] || request->max_outstanding_messages ||
      request->max_outstanding_bytes || request->protocol_version) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT,
              "subscription, client_id, limits and version belong into the first request only");
    return false;
  }
  int32_t deadline = request->stream_ack_deadline_seconds;
  if (deadline != 0 && (deadline < 10 || deadline > 600)) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT,
              "stream_ack_deadline_seconds is %d; it must be between 10 and 600", deadline);
    return false;
  }
  return true;
}

/* Where a client has not read what was sent before, that answers it. */
static void answer_keepalive(struct stream *stream) {
  struct pubsub_buf nothing = {0};
  if (call_queued_bytes(stream->call) < KEEPALIVE_QUEUED_BYTES) send_response(stream, &nothing);
}

/* A keepalive. */
static bool is_empty(const Google__Pubsub__V1__StreamingPullRequest *request) {
  return request->n_ack_ids == 0 && request->n_modify_deadline_ack_ids == 0 &&
         request->stream_ack_deadline_seconds == 0 && request->subscription[0] == '\0' &&
         request->client_id[0] == '\0' && request->base.n_unknown_fields == 0;
}

static void streaming_pull(struct call *call, void *message) {
  const Google__Pubsub__V1__StreamingPullRequest *request = message;
  bool first = call->state == NULL;
  if (!check_request(call, request)) return;
  if (first) open_stream(call, request);
  struct stream *stream = call->state;
  if (!stream || !stream->consumer.subscription) return;
  if (!first && request->stream_ack_deadline_seconds) {
    stream->deadline_s = (uint32_t)request->stream_ack_deadline_seconds;
  }
  settle(stream, request);
  if (is_empty(request) && stream->keepalive) answer_keepalive(stream);
}

static void on_half_close(struct call *call) {
  struct stream *stream = call->state;
  if (stream) leave(stream);
  call_finish(call);
}

static void on_drained(struct call *call) {
  struct stream *stream = call->state;
  if (stream && stream->consumer.subscription) delivery_wake(stream->consumer.subscription);
}

static void on_closed(struct call *call) {
  struct stream *stream = call->state;
  if (!stream) return;
  leave(stream);
  pubsub_free(stream);
}

const struct method stream_methods[] = {
    {.path = SUBSCRIBER "StreamingPull",
     .request = &google__pubsub__v1__streaming_pull_request__descriptor,
     .response = &google__pubsub__v1__streaming_pull_response__descriptor,
     .on_request = streaming_pull,
     .on_half_close = on_half_close,
     .on_drained = on_drained,
     .on_closed = on_closed},
    {0},
};
