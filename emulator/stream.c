/*
 * StreamingPull. Messages go to the streams of a subscription in turns, a response each, as far as their flow limits
 * and their queue of unsent bytes allow.
 */
#include "services.h"

#include "base/alloc.h"

#define RESPONSE_BYTES ((size_t)256 * 1024)
#define MAX_QUEUED_BYTES ((size_t)1 << 20)

struct stream {
  struct consumer consumer; /* consumer.subscription NULL: not opened yet, or ended */
  struct rpc *rpc;
  uint64_t max_messages, max_bytes; /* UINT64_MAX: no limit */
  uint32_t deadline_s;
  bool keepalive; /* protocol version 1: an empty request is answered */
};

static bool has_room(const struct stream *stream) {
  return stream->consumer.outstanding_messages < stream->max_messages &&
         stream->consumer.outstanding_bytes < stream->max_bytes &&
         rpc_queued_bytes(stream->rpc) < MAX_QUEUED_BYTES;
}

/* One response's worth. False: there was nothing to lend. */
static bool fill_one(struct stream *stream) {
  struct subscription *subscription = stream->consumer.subscription;
  struct pubsub_buf response = {0};
  uint64_t deadline =
      pubsub_loop_now_us(subscription->broker->loop) + (uint64_t)stream->deadline_s * 1000000;
  while (response.len < RESPONSE_BYTES && has_room(stream)) {
    struct message *message = subscription_lend(subscription, &stream->consumer, deadline);
    if (!message) break;
    size_t bytes = received_bytes(subscription, message);
    if (response.len > 0 && response.len + bytes > response.cap && response.cap >= RESPONSE_BYTES) {
      /* Ends here rather than copy what is there. */
      subscription_set_deadline(subscription, message, 0);
      message->attempts--;
      break;
    }
    size_t room = subscription->ready_count > 8 ? RESPONSE_BYTES : 0;
    if (pubsub_buf_reserve(&response, bytes > room ? bytes : room) != PUBSUB_OK) {
      subscription_set_deadline(subscription, message, 0);
      break;
    }
    uint8_t *end = received_write(subscription, message, response.ptr + response.len);
    response.len = (size_t)(end - response.ptr);
  }
  if (response.len == 0) return false;
  struct pubsub_segment segment = pubsub_segment_from_buf(&response);
  rpc_send(stream->rpc, &segment, 1);
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
                            .consumer.subscription = subscription,
                            .max_messages = limit(request->max_outstanding_messages),
                            .max_bytes = limit(request->max_outstanding_bytes),
                            .deadline_s = (uint32_t)deadline,
                            .keepalive = request->protocol_version == 1};
  rpc->state = stream;
  pubsub_list_push_back(&subscription->consumers, &stream->consumer.link);
  rpc_start(rpc);
  subscription_wake(subscription);
}

static void settle(struct stream *stream, const Google__Pubsub__V1__StreamingPullRequest *request) {
  struct subscription *subscription = stream->consumer.subscription;
  for (size_t i = 0; i < request->n_ack_ids; i++) {
    struct message *message = subscription_find(subscription, pubsub_view_str(request->ack_ids[i]));
    if (message) subscription_acknowledge(subscription, message);
  }
  for (size_t i = 0; i < request->n_modify_deadline_ack_ids; i++) {
    struct message *message =
        subscription_find(subscription, pubsub_view_str(request->modify_deadline_ack_ids[i]));
    int32_t seconds = request->modify_deadline_seconds[i];
    if (message) subscription_set_deadline(subscription, message, (uint32_t)seconds);
  }
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
      if (empty && stream->keepalive) rpc_send(rpc, NULL, 0);
    }
  }
  google__pubsub__v1__streaming_pull_request__free_unpacked(request, NULL);
}

static void leave(struct stream *stream) {
  struct subscription *subscription = stream->consumer.subscription;
  if (!subscription) return;
  subscription_forget_consumer(subscription, &stream->consumer);
  pubsub_list_remove(&stream->consumer.link);
  stream->consumer.subscription = NULL;
}

void stream_on_half_close(struct rpc *rpc) {
  struct stream *stream = rpc->state;
  if (stream) leave(stream);
  rpc_finish(rpc);
}

void stream_on_drained(struct rpc *rpc) {
  struct stream *stream = rpc->state;
  if (stream && stream->consumer.subscription) subscription_wake(stream->consumer.subscription);
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
