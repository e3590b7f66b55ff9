/*
 * StreamingPull. Messages go to the streams of a subscription in turns, a response each, as far as their flow limits
 * and their queue of unsent bytes allow.
 */
#include "faults.h"
#include "outcome.h"
#include "services.h"

#include "base/alloc.h"

#define RESPONSE_BYTES ((size_t)256 * 1024)
#define MAX_QUEUED_BYTES ((size_t)1 << 20)
#define KEEPALIVE_QUEUED_BYTES ((size_t)4096)

struct stream {
  struct consumer consumer; /* consumer.subscription NULL: not opened yet, or ended */
  struct rpc *rpc;
  uint64_t max_messages, max_bytes; /* UINT64_MAX: no limit */
  uint32_t deadline_s;
  bool keepalive; /* protocol version 1: an empty request is answered */
  bool held;      /* a fault: serve nothing (yet) */
  struct pubsub_timer unhold, lifetime;
};

static bool has_room(const struct stream *stream) {
  return !stream->held && stream->consumer.outstanding_messages < stream->max_messages &&
         stream->consumer.outstanding_bytes < stream->max_bytes &&
         rpc_queued_bytes(stream->rpc) < MAX_QUEUED_BYTES;
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
  rpc_send(stream->rpc, &segment, segment.len > 0 ? 1 : 0);
}

static uint64_t due_of(struct stream *stream, uint64_t now) {
  struct faults *faults = stream->consumer.subscription->broker->faults;
  const struct fault *expire =
      faults->count > 0 ? faults_draw(faults, stream->rpc->method->path, FAULT_EXPIRE) : NULL;
  return now + (expire ? expire->us : (uint64_t)stream->deadline_s * 1000000);
}

static void maybe_duplicate(struct stream *stream, const struct message *message) {
  struct faults *faults = stream->consumer.subscription->broker->faults;
  if (faults->count == 0 || !faults_draw(faults, stream->rpc->method->path, FAULT_DUPLICATE))
    return;
  struct message *copy = message_copy(message);
  if (copy) backlog_add(stream->consumer.subscription, copy);
}

/* One response's worth. False: there was nothing to lend. */
static bool fill_one(struct stream *stream) {
  struct subscription *subscription = stream->consumer.subscription;
  struct pubsub_buf response = {0};
  uint64_t now = broker_now_us(subscription->broker);
  while (response.len < RESPONSE_BYTES && has_room(stream)) {
    struct message *message = backlog_lend(subscription, &stream->consumer, due_of(stream, now));
    if (!message) break;
    size_t bytes = received_bytes(subscription, message);
    /* Ends before one that would make us copy what is there. */
    bool full =
        response.len > 0 && response.len + bytes > response.cap && response.cap >= RESPONSE_BYTES;
    size_t room = subscription->ready_count > 8 ? RESPONSE_BYTES : 0;
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

void stream_serve(struct subscription *subscription) {
  size_t idle = 0, count = 0;
  for (struct pubsub_list *link = subscription->consumers.next; link != &subscription->consumers;
       link = link->next) {
    count++;
  }
  while (subscription->ready_count > 0 && idle < count) {
    struct pubsub_list *link = subscription->consumers.next;
    struct stream *stream = PUBSUB_CONTAINER_OF(link, struct stream, consumer.link);
    pubsub_list_remove(link);
    pubsub_list_push_back(&subscription->consumers, link);
    idle = has_room(stream) && fill_one(stream) ? 0 : idle + 1;
  }
}

static uint64_t limit(int64_t asked) {
  return asked <= 0 ? UINT64_MAX : (uint64_t)asked;
}

static void on_unhold(struct pubsub_timer *timer) {
  struct stream *stream = PUBSUB_CONTAINER_OF(timer, struct stream, unhold);
  stream->held = false;
  backlog_wake(stream->consumer.subscription);
}

static void leave(struct stream *stream) {
  struct subscription *subscription = stream->consumer.subscription;
  if (!subscription) return;
  pubsub_loop_timer_cancel(subscription->broker->loop, &stream->unhold);
  pubsub_loop_timer_cancel(subscription->broker->loop, &stream->lifetime);
  backlog_forget(subscription, &stream->consumer);
  pubsub_list_remove(&stream->consumer.link);
  stream->consumer.subscription = NULL;
}

static void on_lifetime_over(struct pubsub_timer *timer) {
  struct stream *stream = PUBSUB_CONTAINER_OF(timer, struct stream, lifetime);
  leave(stream);
  rpc_fail(stream->rpc, PUBSUB_GRPC_UNAVAILABLE, "the stream has been open for long enough");
}

/* True: the headers are to come late. */
static bool take_faults(struct stream *stream) {
  struct broker *broker = stream->consumer.subscription->broker;
  struct faults *faults = broker->faults;
  const char *path = stream->rpc->method->path;
  const struct fault *fault;
  uint64_t now = pubsub_loop_now_us(broker->loop);
  if (faults->count == 0) return false;
  stream->unhold.run = on_unhold;
  stream->lifetime.run = on_lifetime_over;
  if (faults_draw(faults, path, FAULT_STALL)) stream->held = true;
  if ((fault = faults_draw(faults, path, FAULT_LATENCY))) {
    stream->held = true;
    pubsub_loop_timer_set(broker->loop, &stream->unhold, now + fault->us);
  }
  if ((fault = faults_draw(faults, path, FAULT_LIFETIME))) {
    pubsub_loop_timer_set(broker->loop, &stream->lifetime, now + fault->us);
  }
  if (faults_draw(faults, path, FAULT_SILENT)) stream->keepalive = false;
  return faults_draw(faults, path, FAULT_LATE_HEADERS) != NULL;
}

static void open_stream(struct rpc *rpc, const Google__Pubsub__V1__StreamingPullRequest *request) {
  if (request->subscription[0] == '\0') {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "the first request must name a subscription");
    return;
  }
  struct subscription *subscription = require_subscription(rpc, request->subscription);
  if (!subscription) return;
  if (subscription->detached) {
    rpc_fail(rpc, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription is detached");
    return;
  }
  int32_t deadline = request->stream_ack_deadline_seconds;
  if (deadline < 10 || deadline > 600) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
             "stream_ack_deadline_seconds is %d; it must be between 10 and 600", deadline);
    return;
  }
  struct stream *stream = pubsub_alloc_zero(1, sizeof *stream);
  if (!stream) {
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    return;
  }
  *stream = (struct stream){.rpc = rpc,
                            .max_messages = limit(request->max_outstanding_messages),
                            .max_bytes = limit(request->max_outstanding_bytes),
                            .deadline_s = (uint32_t)deadline,
                            .keepalive = request->protocol_version == 1};
  consumer_init(&stream->consumer, subscription);
  rpc->state = stream;
  pubsub_list_push_back(&subscription->consumers, &stream->consumer.link);
  if (!take_faults(stream)) rpc_start(rpc);
  backlog_wake(subscription);
}

/* What a client is told of its acknowledgements under exactly-once delivery. */
static char **texts(const struct pubsub_buf *ids, size_t *count) {
  const struct pubsub_view *views = (const struct pubsub_view *)(const void *)ids->ptr;
  *count = ids->len / sizeof *views;
  char **out = pubsub_alloc_zero(*count + 1, sizeof *out);
  if (!out) *count = 0;
  for (size_t i = 0; i < *count; i++)
    out[i] = (char *)(uintptr_t)views[i].ptr; /* NUL-terminated: fields of the unpacked request */
  return out;
}

static void confirm(struct stream *stream, const struct outcome *acked,
                    const struct outcome *modified) {
  Google__Pubsub__V1__StreamingPullResponse response =
      GOOGLE__PUBSUB__V1__STREAMING_PULL_RESPONSE__INIT;
  Google__Pubsub__V1__StreamingPullResponse__AcknowledgeConfirmation ack =
      GOOGLE__PUBSUB__V1__STREAMING_PULL_RESPONSE__ACKNOWLEDGE_CONFIRMATION__INIT;
  Google__Pubsub__V1__StreamingPullResponse__ModifyAckDeadlineConfirmation modify =
      GOOGLE__PUBSUB__V1__STREAMING_PULL_RESPONSE__MODIFY_ACK_DEADLINE_CONFIRMATION__INIT;
  ack.ack_ids = texts(&acked->good, &ack.n_ack_ids);
  ack.invalid_ack_ids = texts(&acked->invalid, &ack.n_invalid_ack_ids);
  ack.temporary_failed_ack_ids = texts(&acked->transient, &ack.n_temporary_failed_ack_ids);
  modify.ack_ids = texts(&modified->good, &modify.n_ack_ids);
  modify.invalid_ack_ids = texts(&modified->invalid, &modify.n_invalid_ack_ids);
  modify.temporary_failed_ack_ids = texts(&modified->transient, &modify.n_temporary_failed_ack_ids);
  if (ack.n_ack_ids + ack.n_invalid_ack_ids + ack.n_temporary_failed_ack_ids > 0) {
    response.acknowledge_confirmation = &ack;
  }
  if (modify.n_ack_ids + modify.n_invalid_ack_ids + modify.n_temporary_failed_ack_ids > 0) {
    response.modify_ack_deadline_confirmation = &modify;
  }
  struct pubsub_buf bytes = {0};
  if ((response.acknowledge_confirmation || response.modify_ack_deadline_confirmation) &&
      pubsub_buf_reserve(&bytes, protobuf_c_message_get_packed_size(&response.base)) == PUBSUB_OK) {
    bytes.len = protobuf_c_message_pack(&response.base, bytes.ptr);
    send_response(stream, &bytes);
  }
  char **lists[] = {ack.ack_ids,    ack.invalid_ack_ids,    ack.temporary_failed_ack_ids,
                    modify.ack_ids, modify.invalid_ack_ids, modify.temporary_failed_ack_ids};
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
    pubsub_free(lists[i]);
}

static void settle(struct stream *stream, const Google__Pubsub__V1__StreamingPullRequest *request) {
  struct subscription *subscription = stream->consumer.subscription;
  struct faults *faults = subscription->broker->faults;
  const char *path = stream->rpc->method->path;
  struct outcome acked = {0}, modified = {0};
  if (faults->count > 0 && request->n_ack_ids + request->n_modify_deadline_ack_ids > 0 &&
      faults_draw(faults, path, FAULT_DROP_ACKS)) {
    return;
  }
  for (size_t i = 0; i < request->n_ack_ids; i++) {
    struct pubsub_view id = pubsub_view_str(request->ack_ids[i]);
    if (outcome_check(&acked, subscription, path, id)) {
      backlog_acknowledge(subscription, backlog_find(subscription, id));
    }
  }
  for (size_t i = 0; i < request->n_modify_deadline_ack_ids; i++) {
    struct pubsub_view id = pubsub_view_str(request->modify_deadline_ack_ids[i]);
    if (outcome_check(&modified, subscription, path, id)) {
      backlog_set_deadline(subscription, backlog_find(subscription, id),
                           (uint32_t)request->modify_deadline_seconds[i]);
    }
  }
  confirm(stream, &acked, &modified);
  outcome_clear(&acked);
  outcome_clear(&modified);
}

static bool check_later_request(struct rpc *rpc,
                                const Google__Pubsub__V1__StreamingPullRequest *request) {
  if (request->n_modify_deadline_seconds != request->n_modify_deadline_ack_ids) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
             "modify_deadline_seconds and modify_deadline_ack_ids differ in length");
    return false;
  }
  for (size_t i = 0; i < request->n_modify_deadline_seconds; i++) {
    if (request->modify_deadline_seconds[i] < 0 || request->modify_deadline_seconds[i] > 600) {
      rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "an ack deadline is not between 0 and 600 s");
      return false;
    }
  }
  if (!rpc->state) return true;
  if (request->subscription[0] || request->client_id[0] || request->max_outstanding_messages ||
      request->max_outstanding_bytes || request->protocol_version) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
             "subscription, client_id, limits and version belong into the first request only");
    return false;
  }
  int32_t deadline = request->stream_ack_deadline_seconds;
  if (deadline != 0 && (deadline < 10 || deadline > 600)) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
             "stream_ack_deadline_seconds is %d; it must be between 10 and 600", deadline);
    return false;
  }
  return true;
}

/* Where a client has not read what was sent before, that answers it. */
static void answer_keepalive(struct stream *stream) {
  struct pubsub_buf nothing = {0};
  if (rpc_queued_bytes(stream->rpc) < KEEPALIVE_QUEUED_BYTES) send_response(stream, &nothing);
}

void stream_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  bool first = rpc->state == NULL, empty = take_request->len == 0;
  Google__Pubsub__V1__StreamingPullRequest *request =
      unpack_request(rpc, &google__pubsub__v1__streaming_pull_request__descriptor, take_request);
  if (!request) return;
  if (check_later_request(rpc, request)) {
    if (first) open_stream(rpc, request);
    struct stream *stream = rpc->state;
    if (stream && stream->consumer.subscription) {
      if (!first && request->stream_ack_deadline_seconds) {
        stream->deadline_s = (uint32_t)request->stream_ack_deadline_seconds;
      }
      settle(stream, request);
      if (empty && stream->keepalive) answer_keepalive(stream);
    }
  }
  google__pubsub__v1__streaming_pull_request__free_unpacked(request, NULL);
}

void stream_on_half_close(struct rpc *rpc) {
  struct stream *stream = rpc->state;
  if (stream) leave(stream);
  rpc_finish(rpc);
}

void stream_on_drained(struct rpc *rpc) {
  struct stream *stream = rpc->state;
  if (stream && stream->consumer.subscription) backlog_wake(stream->consumer.subscription);
}

void stream_on_closed(struct rpc *rpc) {
  struct stream *stream = rpc->state;
  if (!stream) return;
  leave(stream);
  pubsub_free(stream);
}

void stream_end_all(struct subscription *subscription, int grpc_code, const char *message) {
  while (!pubsub_list_empty(&subscription->consumers)) {
    struct stream *stream =
        PUBSUB_CONTAINER_OF(subscription->consumers.next, struct stream, consumer.link);
    struct rpc *rpc = stream->rpc;
    leave(stream);
    rpc_fail(rpc, grpc_code, "%s", message);
  }
}
