/* The loop's half of a publisher: sealed requests go out, failed ones again, and every one gets its outcome. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "proto/publish_encoder.h"
#include "pub/publisher.h"

static void send(struct pubsub_request *request);
static void send_ready(struct pubsub_publisher *publisher);

static struct pubsub_request *request_of(struct pubsub_ordering_item *item) {
  return PUBSUB_CONTAINER_OF(item, struct pubsub_request, order);
}

/* ---- outcomes ---- */

/* Under the mutex. */
static void forget(struct pubsub_publisher *publisher, const struct pubsub_request *request) {
  publisher->shared.unfinished_requests--;
  publisher->shared.in_flight_bytes -= request->batch.message_bytes;
  pthread_cond_broadcast(&publisher->shared.changed);
}

static void drop(void *user, struct pubsub_ordering_item *item) {
  struct pubsub_publisher *publisher = user;
  struct pubsub_request *request = request_of(item);
  pthread_mutex_lock(&publisher->shared.mutex);
  forget(publisher, request);
  pthread_mutex_unlock(&publisher->shared.mutex);
  pubsub_request_unref(request);
}

static void take_out(struct pubsub_request *request) {
  struct pubsub_publisher *publisher = request->publisher;
  pubsub_list_remove(&request->under_way_link);
  pubsub_loop_timer_cancel(publisher->owner, &request->backoff_timer);
  pubsub_ordering_done(&publisher->loop.ordering, &request->order);
}

static void succeed(struct pubsub_request *request) {
  struct pubsub_publisher *publisher = request->publisher;
  take_out(request);
  pthread_mutex_lock(&publisher->shared.mutex);
  publisher->shared.metrics.published_rows += request->batch.messages;
  publisher->shared.metrics.published_bytes += request->batch.message_bytes;
  forget(publisher, request);
  pthread_mutex_unlock(&publisher->shared.mutex);
  pubsub_request_unref(request);
  send_ready(publisher);
}

/* One request that can never be sent fails the publisher: what follows it must not pass it silently. */
static void give_up(struct pubsub_request *request, const struct pubsub_error *why) {
  struct pubsub_publisher *publisher = request->publisher;
  struct pubsub_error error = {0};
  pubsub_retry_explain(&request->retry, why, pubsub_view_str(publisher->topic),
                       pubsub_loop_now_us(publisher->owner), &error);
  take_out(request);
  pthread_mutex_lock(&publisher->shared.mutex);
  if (publisher->shared.error.status == PUBSUB_OK) publisher->shared.error = error;
  forget(publisher, request);
  pthread_mutex_unlock(&publisher->shared.mutex);
  pubsub_request_unref(request);
  pubsub_ordering_drop(&publisher->loop.ordering, drop, publisher);
}

static void on_backoff_over(struct pubsub_timer *timer) {
  send(PUBSUB_CONTAINER_OF(timer, struct pubsub_request, backoff_timer));
}

static void fail(struct pubsub_request *request, const struct pubsub_error *why) {
  struct pubsub_publisher *publisher = request->publisher;
  uint64_t now = pubsub_loop_now_us(publisher->owner), delay_us;
  if (!pubsub_retry_again(&request->retry, &publisher->retry_limits, why, now, &publisher->loop.rng,
                          &delay_us)) {
    give_up(request, why);
    return;
  }
  pubsub_loop_timer_set(publisher->owner, &request->backoff_timer, now + delay_us);
  pthread_mutex_lock(&publisher->shared.mutex);
  publisher->shared.metrics.retries++;
  pthread_mutex_unlock(&publisher->shared.mutex);
}

/* ---- ids ---- */

struct ids {
  const struct pubsub_request *request;
  struct pubsub_view *ids; /* NULL: only counted */
  uint64_t *numbers;
  size_t count;
};

static void on_id(void *user, struct pubsub_view id) {
  struct ids *ids = user;
  if (ids->ids && ids->count < ids->request->batch.messages) {
    ids->ids[ids->count] = (struct pubsub_view){id.ptr, id.len};
    ids->numbers[ids->count] = pubsub_request_number(ids->request, ids->count);
  }
  ids->count++;
}

static enum pubsub_status read_ids(struct pubsub_request *request, struct pubsub_view response,
                                   struct pubsub_error *error) {
  struct pubsub_publisher *publisher = request->publisher;
  struct ids ids = {.request = request};
  if (publisher->options.on_ids) {
    ids.ids = pubsub_alloc(request->batch.messages * sizeof *ids.ids);
    ids.numbers = pubsub_alloc(request->batch.messages * sizeof *ids.numbers);
  }
  bool told = !publisher->options.on_ids || (ids.ids && ids.numbers);
  enum pubsub_status status =
      told ? pubsub_publish_decode_ids(response, on_id, &ids) : PUBSUB_E_NOMEM;
  if (!told) {
    pubsub_error_set(error, status, "out of memory");
    error->retryable = true; /* sent again: nobody would hear of the ids */
  } else if (status != PUBSUB_OK || ids.count != request->batch.messages) {
    status = pubsub_error_set(error, PUBSUB_E_PROTOCOL,
                              "the service gave %zu ids for %u published messages", ids.count,
                              request->batch.messages);
  } else if (publisher->options.on_ids) {
    publisher->options.on_ids(publisher->options.on_ids_user, ids.numbers, ids.ids, ids.count);
  }
  pubsub_free(ids.ids);
  pubsub_free(ids.numbers);
  return status;
}

static void on_done(void *user, const struct pubsub_error *result, struct pubsub_view response,
                    struct pubsub_view details) {
  struct pubsub_request *request = user;
  struct pubsub_error error = *result;
  (void)details;
  request->call = NULL;
  if (result->status == PUBSUB_OK && read_ids(request, response, &error) == PUBSUB_OK) {
    succeed(request);
  } else {
    fail(request, &error);
  }
}

/* ---- sending ---- */

static void send(struct pubsub_request *request) {
  struct pubsub_publisher *publisher = request->publisher;
  struct pubsub_error error = {0};
  if (publisher->options.gzip) pubsub_request_pack(request);
  struct pubsub_call_options options = {
      .method = "/google.pubsub.v1.Publisher/Publish",
      .routing_header = publisher->routing_header,
      .encoding = request->packed ? "gzip" : NULL,
      .timeout_us = pubsub_retry_attempt_us(&request->retry, &publisher->retry_limits,
                                            pubsub_loop_now_us(publisher->owner))};
  struct pubsub_segment segment = pubsub_request_segment(request);
  pthread_mutex_lock(&publisher->shared.mutex);
  publisher->shared.metrics.requests++;
  pthread_mutex_unlock(&publisher->shared.mutex);
  if (pubsub_unary_start(publisher->channel, &options, &segment, 1, on_done, request,
                         &request->call, &error) != PUBSUB_OK) {
    request->call = NULL;
    segment.release(segment.owner);
    fail(request, &error);
  }
}

static void send_ready(struct pubsub_publisher *publisher) {
  struct pubsub_ordering_item *item;
  while ((item = pubsub_ordering_next(&publisher->loop.ordering))) {
    struct pubsub_request *request = request_of(item);
    request->publisher = publisher;
    request->backoff_timer.run = on_backoff_over;
    pubsub_retry_init(&request->retry, &publisher->retry_limits);
    pubsub_list_push_back(&publisher->loop.under_way, &request->under_way_link);
    send(request);
  }
}

/* Seals what is due; sets the timer for what is not. */
static void seal_due(struct pubsub_publisher *publisher) { /* under the mutex */
  uint64_t now = pubsub_clock_now_us();
  while (!pubsub_list_empty(&publisher->shared.open)) {
    struct pubsub_request *request =
        PUBSUB_CONTAINER_OF(publisher->shared.open.next, struct pubsub_request, open_link);
    uint64_t due = pubsub_batcher_due_us(&publisher->batch_limits, &request->batch);
    if (due > now) {
      if (due != UINT64_MAX) pubsub_loop_timer_set(publisher->owner, &publisher->loop.linger, due);
      return;
    }
    pubsub_publisher_seal(publisher, request);
  }
}

static void look(struct pubsub_publisher *publisher) {
  struct pubsub_list taken;
  pubsub_list_init(&taken);
  pthread_mutex_lock(&publisher->shared.mutex);
  seal_due(publisher);
  while (!pubsub_list_empty(&publisher->shared.sealed)) {
    struct pubsub_list *link = publisher->shared.sealed.next;
    pubsub_list_remove(link);
    pubsub_list_push_back(&taken, link);
  }
  bool failed = publisher->shared.error.status != PUBSUB_OK;
  pthread_mutex_unlock(&publisher->shared.mutex);
  while (!pubsub_list_empty(&taken)) {
    struct pubsub_request *request = PUBSUB_CONTAINER_OF(taken.next, struct pubsub_request, link);
    pubsub_list_remove(&request->link);
    if (failed || pubsub_ordering_add(&publisher->loop.ordering, &request->order) != PUBSUB_OK) {
      if (!failed) {
        pthread_mutex_lock(&publisher->shared.mutex);
        pubsub_error_set(&publisher->shared.error, PUBSUB_E_NOMEM, "out of memory");
        pthread_mutex_unlock(&publisher->shared.mutex);
      }
      drop(publisher, &request->order);
    }
  }
  send_ready(publisher);
}

void pubsub_sender_work(struct pubsub_task *task) {
  struct pubsub_publisher *publisher = PUBSUB_CONTAINER_OF(task, struct pubsub_publisher, work);
  /* Only here, not where the timer looks: the task may still be queued then, and must not be queued twice. */
  pthread_mutex_lock(&publisher->shared.mutex);
  publisher->shared.task_posted = false;
  pthread_mutex_unlock(&publisher->shared.mutex);
  look(publisher);
}

static void on_linger(struct pubsub_timer *timer) {
  look(PUBSUB_CONTAINER_OF(timer, struct pubsub_publisher, loop.linger));
}

void pubsub_sender_init(struct pubsub_publisher *publisher) {
  uint32_t places = publisher->options.max_requests_in_flight;
  pubsub_ordering_init(&publisher->loop.ordering, places, places > 64 ? places : 64);
  pubsub_list_init(&publisher->loop.under_way);
  publisher->loop.linger.run = on_linger;
  pubsub_rng_seed_random(&publisher->loop.rng);
}

void pubsub_sender_clear(struct pubsub_publisher *publisher) {
  pubsub_loop_timer_cancel(publisher->owner, &publisher->loop.linger);
  pubsub_ordering_drop(&publisher->loop.ordering, drop, publisher);
  while (!pubsub_list_empty(&publisher->loop.under_way)) {
    struct pubsub_request *request =
        PUBSUB_CONTAINER_OF(publisher->loop.under_way.next, struct pubsub_request, under_way_link);
    if (request->call) pubsub_call_cancel(request->call);
    request->call = NULL;
    take_out(request);
    drop(publisher, &request->order);
  }
  pubsub_ordering_clear(&publisher->loop.ordering);
}
