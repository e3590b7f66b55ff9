#include "model/seek.h"

#include "api/methods.h"
#include "api/resources.h"
#include "model/times.h"

static void to_snapshot(struct call *call, struct subscription *subscription, const char *name) {
  struct snapshot *snapshot = require_snapshot(call, name);
  if (!snapshot) return;
  if (!snapshot->topic || snapshot->topic != subscription->topic) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT,
              "The snapshot's topic is not the subscription's.");
    return;
  }
  seek_to_snapshot(subscription, snapshot);
  call_reply_empty(call);
}

static void seek(struct call *call, void *message) {
  const Google__Pubsub__V1__SeekRequest *request = message;
  struct subscription *subscription = require_subscription(call, request->subscription);
  if (!subscription) return;
  if (subscription->detached) {
    call_fail(call, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription is detached");
  } else if (request->target_case == GOOGLE__PUBSUB__V1__SEEK_REQUEST__TARGET_TIME) {
    seek_to_time(subscription, times_timestamp_us(request->time));
    call_reply_empty(call);
  } else if (request->target_case == GOOGLE__PUBSUB__V1__SEEK_REQUEST__TARGET_SNAPSHOT) {
    to_snapshot(call, subscription, request->snapshot);
  } else {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "A time or a snapshot must be given.");
  }
}

const struct method seek_methods[] = {METHOD(SUBSCRIBER, "Seek", google__pubsub__v1__seek_request,
                                             google__pubsub__v1__seek_response, seek),
                                      {0}};
