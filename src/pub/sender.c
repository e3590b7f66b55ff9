#include "pub/sender.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "grpc/routing.h"
#include "grpc/unary.h"
#include "pub/publish_ids.h"

#define CALL_TIMEOUT_US 60000000
#define LEAST_KEYED_PLACES 64u

static void send(struct pubsub_publish_request *request);
static void send_ready(struct pubsub_sender *sender);

/* ---- shared ---- */

void pubsub_sender_lock(struct pubsub_sender *sender) {
  pubsub_monitor_lock(&sender->shared.monitor);
}

void pubsub_sender_unlock(struct pubsub_sender *sender) {
  pubsub_monitor_unlock(&sender->shared.monitor);
}

bool pubsub_sender_wait(struct pubsub_sender *sender, uint64_t due_us) {
  return pubsub_monitor_wait_until(&sender->shared.monitor, due_us);
}

void pubsub_sender_wake(struct pubsub_sender *sender) {
  if (!sender->shared.desk.news || sender->shared.task_posted) return;
  sender->shared.task_posted = true;
  pubsub_loop_post(sender->owner, &sender->work);
}

/* Under the mutex. What follows a failure must not pass it silently, so the first one stays. */
static void set_error(struct pubsub_sender *sender, const struct pubsub_error *error) {
  if (sender->shared.error.status == PUBSUB_OK) sender->shared.error = *error;
  pubsub_monitor_wake(&sender->shared.monitor);
}

static struct pubsub_publish_request *request_of(struct pubsub_ordering_item *item) {
  return PUBSUB_CONTAINER_OF(item, struct pubsub_publish_request, order);
}

/* ---- outcomes ---- */

/* Under the mutex. */
static void finish(struct pubsub_sender *sender, const struct pubsub_publish_request *request) {
  pubsub_desk_finish(&sender->shared.desk, request);
  pubsub_monitor_wake(&sender->shared.monitor);
}

static void drop(void *user, struct pubsub_ordering_item *item) {
  struct pubsub_sender *sender = user;
  struct pubsub_publish_request *request = request_of(item);
  pubsub_sender_lock(sender);
  finish(sender, request);
  pubsub_sender_unlock(sender);
  pubsub_publish_request_unref(request);
}

static void take_out(struct pubsub_publish_request *request) {
  struct pubsub_sender *sender = request->loop.sender;
  pubsub_list_remove(&request->loop.link);
  pubsub_loop_timer_cancel(sender->owner, &request->loop.backoff_timer);
  pubsub_ordering_done(&sender->loop.ordering, &request->order);
}

static void succeed(struct pubsub_publish_request *request) {
  struct pubsub_sender *sender = request->loop.sender;
  take_out(request);
  pubsub_sender_lock(sender);
  sender->shared.metrics.published_rows += request->batch.messages;
  sender->shared.metrics.published_bytes += request->batch.message_bytes;
  finish(sender, request);
  pubsub_sender_unlock(sender);
  pubsub_publish_request_unref(request);
  send_ready(sender);
}

/* One request that can never be sent fails the publisher. */
static void give_up(struct pubsub_publish_request *request, const struct pubsub_error *why) {
  struct pubsub_sender *sender = request->loop.sender;
  struct pubsub_error error = {0};
  struct pubsub_subject topic = {"topic", pubsub_view_str(sender->topic), "to publish to",
                                 "pubsub.topics.publish",
                                 pubsub_channel_is_plaintext(sender->channel)};
  pubsub_retry_explain(&request->loop.retry, why, &topic, pubsub_loop_now_us(sender->owner),
                       &error);
  take_out(request);
  pubsub_sender_lock(sender);
  set_error(sender, &error);
  finish(sender, request);
  pubsub_sender_unlock(sender);
  pubsub_publish_request_unref(request);
  pubsub_ordering_drop(&sender->loop.ordering, drop, sender);
}

static void on_backoff_over(struct pubsub_timer *timer) {
  send(PUBSUB_CONTAINER_OF(timer, struct pubsub_publish_request, loop.backoff_timer));
}

static void fail(struct pubsub_publish_request *request, const struct pubsub_error *why) {
  struct pubsub_sender *sender = request->loop.sender;
  uint64_t now = pubsub_loop_now_us(sender->owner), delay_us;
  if (!pubsub_retry_again(&request->loop.retry, &sender->retry_limits, why, now, &sender->loop.rng,
                          &delay_us)) {
    give_up(request, why);
    return;
  }
  pubsub_loop_timer_set(sender->owner, &request->loop.backoff_timer, now + delay_us);
  pubsub_sender_lock(sender);
  sender->shared.metrics.retries++;
  pubsub_sender_unlock(sender);
}

/* ---- sending ---- */

static enum pubsub_status tell_ids(struct pubsub_publish_request *request,
                                   struct pubsub_view response, struct pubsub_error *error) {
  struct pubsub_sender *sender = request->loop.sender;
  return pubsub_publish_ids_tell(request, response, sender->on_ids, sender->on_ids_user, error);
}

static void on_done(void *user, const struct pubsub_error *result, struct pubsub_view response,
                    struct pubsub_view details) {
  struct pubsub_publish_request *request = user;
  struct pubsub_error error = *result;
  (void)details;
  PUBSUB_ON_LOOP(request->loop.sender->owner);
  request->loop.call = NULL;
  if (result->status == PUBSUB_OK && tell_ids(request, response, &error) == PUBSUB_OK) {
    succeed(request);
  } else {
    fail(request, &error);
  }
}

static void send(struct pubsub_publish_request *request) {
  struct pubsub_sender *sender = request->loop.sender;
  struct pubsub_error error = {0};
  if (sender->gzip) pubsub_publish_request_pack(request);
  struct pubsub_call_options options = {
      .method = "/google.pubsub.v1.Publisher/Publish",
      .routing_header = sender->routing_header,
      .encoding = request->packed ? "gzip" : NULL,
      .timeout_us = pubsub_retry_attempt_us(&request->loop.retry, &sender->retry_limits,
                                            pubsub_loop_now_us(sender->owner))};
  struct pubsub_segment segment = pubsub_publish_request_segment(request);
  pubsub_sender_lock(sender);
  sender->shared.metrics.requests++;
  pubsub_sender_unlock(sender);
  if (pubsub_unary_start(sender->channel, &options, &segment, 1, on_done, request,
                         &request->loop.call, &error) != PUBSUB_OK) {
    request->loop.call = NULL;
    segment.release(segment.owner);
    fail(request, &error);
  }
}

static void send_ready(struct pubsub_sender *sender) {
  struct pubsub_ordering_item *item;
  while ((item = pubsub_ordering_next(&sender->loop.ordering))) {
    struct pubsub_publish_request *request = request_of(item);
    request->loop.sender = sender;
    request->loop.backoff_timer.run = on_backoff_over;
    pubsub_retry_init(&request->loop.retry, &sender->retry_limits);
    pubsub_list_push_back(&sender->loop.under_way, &request->loop.link);
    send(request);
  }
}

/* Takes what is sealed or due; sets the timer for what is not. False: the publisher has failed. */
static bool take(struct pubsub_sender *sender, struct pubsub_list *out) {
  pubsub_list_init(out);
  pubsub_sender_lock(sender);
  uint64_t due_us = pubsub_desk_seal_due(&sender->shared.desk, pubsub_clock_now_us());
  pubsub_desk_take_sealed(&sender->shared.desk, out);
  bool good = sender->shared.error.status == PUBSUB_OK;
  pubsub_sender_unlock(sender);
  if (due_us != UINT64_MAX) pubsub_loop_timer_set(sender->owner, &sender->loop.linger, due_us);
  return good;
}

/* A request that found no memory fails the publisher: of its key, a later one would be sent
 * first. */
static bool admit(struct pubsub_sender *sender, struct pubsub_publish_request *request) {
  struct pubsub_error error = {0};
  if (pubsub_ordering_add(&sender->loop.ordering, &request->order) == PUBSUB_OK) return true;
  pubsub_error_set(&error, PUBSUB_E_NOMEM, "out of memory while publishing to topic %.300s",
                   sender->topic);
  pubsub_sender_lock(sender);
  set_error(sender, &error);
  pubsub_sender_unlock(sender);
  return false;
}

static void look(struct pubsub_sender *sender) {
  struct pubsub_list taken;
  PUBSUB_ON_LOOP(sender->owner);
  bool good = take(sender, &taken);
  while (!pubsub_list_empty(&taken)) {
    struct pubsub_publish_request *request =
        PUBSUB_CONTAINER_OF(taken.next, struct pubsub_publish_request, link);
    pubsub_list_remove(&request->link);
    if (!good || !(good = admit(sender, request))) drop(sender, &request->order);
  }
  if (!good) pubsub_ordering_drop(&sender->loop.ordering, drop, sender);
  send_ready(sender);
}

static void work(struct pubsub_task *task) {
  struct pubsub_sender *sender = PUBSUB_CONTAINER_OF(task, struct pubsub_sender, work);
  /* Only here, not where the timer looks: the task may still be queued then, and must not be
   * queued twice. */
  pubsub_sender_lock(sender);
  sender->shared.task_posted = false;
  pubsub_sender_unlock(sender);
  look(sender);
}

static void on_linger(struct pubsub_timer *timer) {
  look(PUBSUB_CONTAINER_OF(timer, struct pubsub_sender, loop.linger));
}

/* ---- from the first to the last ---- */

static void init_loop(struct pubsub_sender *sender, uint32_t places) {
  uint32_t keyed = places > LEAST_KEYED_PLACES ? places : LEAST_KEYED_PLACES;
  pubsub_ordering_init(&sender->loop.ordering, places, keyed);
  pubsub_list_init(&sender->loop.under_way);
  sender->loop.linger.run = on_linger;
  pubsub_rng_seed_random(&sender->loop.rng);
}

static enum pubsub_status copy_topic(struct pubsub_sender *sender, const char *topic) {
  size_t bytes = strlen(topic) + 1;
  sender->topic = pubsub_alloc(bytes);
  if (!sender->topic) return PUBSUB_E_NOMEM;
  memcpy(sender->topic, topic, bytes);
  sender->routing_header = pubsub_routing_header("topic", pubsub_view_str(topic));
  return sender->routing_header ? PUBSUB_OK : PUBSUB_E_NOMEM;
}

enum pubsub_status pubsub_sender_init(struct pubsub_sender *sender, struct pubsub_channel *channel,
                                      const struct pubsub_publisher_options *options) {
  *sender = (struct pubsub_sender){.channel = channel,
                                   .owner = pubsub_channel_loop(channel),
                                   .gzip = options->gzip,
                                   .on_ids = options->on_ids,
                                   .on_ids_user = options->on_ids_user,
                                   .work.run = work};
  sender->retry_limits = (struct pubsub_retry_limits){
      (uint64_t)options->initial_backoff_ms * 1000, (uint64_t)options->max_backoff_ms * 1000,
      (uint64_t)options->total_timeout_ms * 1000, CALL_TIMEOUT_US};
  pubsub_monitor_init(&sender->shared.monitor);
  init_loop(sender, options->max_requests_in_flight);
  enum pubsub_status status =
      pubsub_desk_init(&sender->shared.desk, pubsub_view_str(options->topic), options);
  return status == PUBSUB_OK ? copy_topic(sender, options->topic) : status;
}

void pubsub_sender_clear(struct pubsub_sender *sender) {
  pubsub_desk_clear(&sender->shared.desk);
  pubsub_monitor_clear(&sender->shared.monitor);
  pubsub_free(sender->topic);
  pubsub_free(sender->routing_header);
}

static void cancel_all(struct pubsub_sender *sender) {
  PUBSUB_ON_LOOP(sender->owner);
  pubsub_loop_timer_cancel(sender->owner, &sender->loop.linger);
  pubsub_ordering_drop(&sender->loop.ordering, drop, sender);
  while (!pubsub_list_empty(&sender->loop.under_way)) {
    struct pubsub_publish_request *request =
        PUBSUB_CONTAINER_OF(sender->loop.under_way.next, struct pubsub_publish_request, loop.link);
    if (request->loop.call) pubsub_unary_cancel(request->loop.call);
    request->loop.call = NULL;
    take_out(request);
    drop(sender, &request->order);
  }
  pubsub_ordering_clear(&sender->loop.ordering);
}

static void end_on_loop(void *user) {
  cancel_all(user);
}

void pubsub_sender_end(struct pubsub_sender *sender) {
  pubsub_sender_lock(sender);
  sender->shared.task_posted = true; /* nothing is posted after what follows */
  pubsub_sender_unlock(sender);
  pubsub_loop_call(sender->owner, end_on_loop, sender);
}
