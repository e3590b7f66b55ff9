#include "model/seek.h"

#include "api/methods.h"
#include "api/resources.h"
#include "model/contents.h"
#include "model/journal.h"
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

static size_t list_count(const struct pubsub_list *list) {
  size_t count = 0;
  for (const struct pubsub_list *link = list->next; link != list; link = link->next)
    count++;
  return count;
}

/* What a subscription holds after a seek. */
static size_t messages_at_most(const struct subscription *subscription) {
  const struct topic *topic = subscription->topic;
  size_t count = contents_count(subscription) + list_count(&subscription->retained);
  if (!subscription->world->journal) return count;
  for (const struct pubsub_list *link = topic ? topic->snapshots.next : NULL;
       link && link != &topic->snapshots; link = link->next) {
    count += list_count(&PUBSUB_CONTAINER_OF(link, struct snapshot, topic_link)->messages);
  }
  return count + (topic ? list_count(&topic->retained) : 0);
}

static void seek(struct call *call, void *message) {
  const Google__Pubsub__V1__SeekRequest *request = message;
  struct subscription *subscription = require_subscription(call, request->subscription);
  if (!subscription) return;
  if (subscription->detached) {
    call_fail(call, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription is detached");
    return;
  }
  if (!require_room(call, messages_at_most(subscription))) return;
  if (request->target_case == GOOGLE__PUBSUB__V1__SEEK_REQUEST__TARGET_TIME) {
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
