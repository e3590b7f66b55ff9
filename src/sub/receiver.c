/*
 * The loop's half of a subscriber: StreamingPull -> builder -> held chunks, and orders -> settler.
 *
 * Back-pressure: while the pool is over its budget and there is something that readers or the settler can free, windows are not
 * given back; what was already under way is bounded by the windows, a tenth of the budget together.
 */
#include "sub/reservoir.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"

#define BUDGET_POLL_US 5000
#define SHORTEST_LINGER_US 5000
#define LONGEST_LINGER_US 20000
#define SMALLEST_WINDOW ((uint64_t)64 * 1024)
#define LARGEST_WINDOW ((uint64_t)4 << 20)

static uint64_t now_us(const struct pubsub_subscriber *subscriber) {
  return pubsub_loop_now_us(subscriber->owner);
}

static void on_linger(struct pubsub_timer *timer) {
  struct pubsub_epoch *epoch = PUBSUB_CONTAINER_OF(timer, struct pubsub_epoch, loop.linger);
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  /* While memory is short, readers have enough to read: small chunks would only take more of it. */
  if (subscriber->loop.paused || pubsub_epoch_seal(epoch) != PUBSUB_OK) {
    pubsub_loop_timer_set(subscriber->owner, timer,
                          now_us(subscriber) + subscriber->loop.linger_us);
  }
}

/* ---- receiving ---- */

/* Seals before a payload that would make the chunk too large: its data then fills a block of the pool, not one and a bit. */
static enum pubsub_status make_room(struct pubsub_epoch *epoch, size_t data_bytes) {
  uint64_t bytes = pubsub_builder_bytes(epoch->loop.builder);
  if (bytes == 0 || bytes + data_bytes <= epoch->subscriber->options.chunk_bytes) return PUBSUB_OK;
  return pubsub_epoch_seal(epoch);
}

static enum pubsub_status on_message(void *user, const struct pubsub_received *message) {
  struct pubsub_epoch *epoch = user;
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  const struct pubsub_subscriber_options *options = &subscriber->options;
  bool indexing = subscriber->loop.delivery != PUBSUB_AT_LEAST_ONCE;
  bool reserved = epoch->loop.reserved;
  epoch->loop.reserved = false;
  bool exactly_once = subscriber->loop.delivery == PUBSUB_EXACTLY_ONCE;
  if (__builtin_expect(exactly_once, 0) && pubsub_epoch_renew(epoch, message)) return PUBSUB_OK;
  enum pubsub_status status = reserved ? PUBSUB_OK : make_room(epoch, message->data.len);
  if (status == PUBSUB_OK) status = pubsub_builder_append(epoch->loop.builder, message);
  if (status == PUBSUB_E_LIMIT) { /* a column is full */
    status = pubsub_epoch_seal(epoch);
    if (status == PUBSUB_OK) status = pubsub_builder_append(epoch->loop.builder, message);
  }
  if (status != PUBSUB_OK) return status;
  uint32_t rows = pubsub_builder_rows(epoch->loop.builder);
  if (message->delivery_attempt > 1) subscriber->loop.redelivered_rows++;
  if (rows == 1) {
    epoch->loop.first_receive_us = now_us(subscriber);
    epoch->loop.first_receive_wall_us = pubsub_clock_wall_us();
    pubsub_loop_timer_set(subscriber->owner, &epoch->loop.linger,
                          epoch->loop.first_receive_us + subscriber->loop.linger_us);
  }
  if (__builtin_expect(indexing, 0)) pubsub_epoch_index_row(epoch, message->message_id);
  if (rows >= options->chunk_rows ||
      pubsub_builder_bytes(epoch->loop.builder) >= options->chunk_bytes) {
    return pubsub_epoch_seal(epoch);
  }
  return PUBSUB_OK;
}

static enum pubsub_status reserve_data(void *user, size_t len, uint8_t **out) {
  struct pubsub_epoch *epoch = user;
  enum pubsub_status status = make_room(epoch, len);
  if (status == PUBSUB_OK) status = pubsub_builder_reserve_data(epoch->loop.builder, len, out);
  if (status == PUBSUB_E_LIMIT) {
    status = pubsub_epoch_seal(epoch);
    if (status == PUBSUB_OK) status = pubsub_builder_reserve_data(epoch->loop.builder, len, out);
  }
  epoch->loop.reserved = status == PUBSUB_OK;
  return status;
}

static void on_properties(void *user, const struct pubsub_subscription_properties *properties) {
  struct pubsub_epoch *epoch = user;
  epoch->loop.told = *properties;
}

static const struct pubsub_pull_sink sink = {
    .on_message = on_message, .reserve_data = reserve_data, .on_properties = on_properties};

static void on_response(void *user) {
  pubsub_epoch_told(user);
}

static bool backlog_exists(struct pubsub_subscriber *subscriber) {
  bool found = false;
  pthread_mutex_lock(&subscriber->shared.mutex);
  struct pubsub_list *link = subscriber->shared.epochs.next;
  for (; link != &subscriber->shared.epochs && !found; link = link->next) {
    struct pubsub_epoch *epoch = PUBSUB_CONTAINER_OF(link, struct pubsub_epoch, shared.link);
    found = epoch->shared.sealed > epoch->shared.first_seq;
    /* Receipts come by themselves; before delivery is known only more bytes can tell. */
    if (subscriber->loop.delivery != PUBSUB_DELIVERY_UNKNOWN && epoch->shared.pending > 0) {
      found = true;
    }
  }
  pthread_mutex_unlock(&subscriber->shared.mutex);
  return found;
}

/* An eighth is left for what is under way already and for columns that grow meanwhile. */
static bool over_budget(struct pubsub_subscriber *subscriber) {
  uint64_t budget = subscriber->options.max_reservoir_bytes;
  return pubsub_pool_used_bytes(subscriber->pool) >= budget - budget / 8;
}

static void for_each_epoch(struct pubsub_subscriber *subscriber,
                           void (*visit)(struct pubsub_epoch *epoch)) {
  /* Only the loop adds to and removes from the list's started part; callers only append. */
  pthread_mutex_lock(&subscriber->shared.mutex);
  struct pubsub_list *link = subscriber->shared.epochs.next, *next;
  pthread_mutex_unlock(&subscriber->shared.mutex);
  while (link != &subscriber->shared.epochs) {
    pthread_mutex_lock(&subscriber->shared.mutex);
    next = link->next;
    pthread_mutex_unlock(&subscriber->shared.mutex);
    visit(PUBSUB_CONTAINER_OF(link, struct pubsub_epoch, shared.link));
    link = next;
  }
}

static void seal_quietly(struct pubsub_epoch *epoch) {
  if (epoch->loop.receiving) pubsub_epoch_seal(epoch);
}

static void repay_window(struct pubsub_epoch *epoch) {
  size_t owed = epoch->loop.window_owed;
  if (!epoch->loop.receiving || owed == 0) return;
  epoch->loop.window_owed = 0;
  pubsub_pull_consume(&epoch->loop.pull, owed);
}

static void check_budget(struct pubsub_subscriber *subscriber) {
  if (over_budget(subscriber)) {
    /* Rows in a builder could never be freed: make them chunks. */
    if (!subscriber->loop.paused) for_each_epoch(subscriber, seal_quietly);
    subscriber->loop.paused = backlog_exists(subscriber);
  } else {
    subscriber->loop.paused = false;
  }
  if (subscriber->loop.paused) {
    pubsub_loop_timer_set(subscriber->owner, &subscriber->loop.budget,
                          now_us(subscriber) + BUDGET_POLL_US);
  } else {
    for_each_epoch(subscriber, repay_window);
  }
}

static void on_budget(struct pubsub_timer *timer) {
  check_budget(PUBSUB_CONTAINER_OF(timer, struct pubsub_subscriber, loop.budget));
}

static void on_bytes(void *user, size_t bytes) {
  struct pubsub_epoch *epoch = user;
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  subscriber->loop.received_bytes += bytes;
  if (!subscriber->loop.paused && !over_budget(subscriber)) {
    pubsub_pull_consume(&epoch->loop.pull, bytes);
    return;
  }
  epoch->loop.window_owed += bytes;
  if (!subscriber->loop.paused && !pubsub_timer_is_set(&subscriber->loop.budget)) {
    pubsub_loop_timer_set(subscriber->owner, &subscriber->loop.budget, now_us(subscriber));
  }
}

static void on_state(void *user, enum pubsub_pull_state state) {
  struct pubsub_epoch *epoch = user;
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  if (state == PUBSUB_PULL_OPENING) {
    epoch->loop.window_owed = 0; /* a new stream has a new window */
    epoch->loop.reserved = false;
    epoch->loop.told = (struct pubsub_subscription_properties){0};
  }
  if (state == PUBSUB_PULL_FAILED) pubsub_epoch_publish_pending(epoch, false);
  pthread_mutex_lock(&subscriber->shared.mutex);
  if (state == PUBSUB_PULL_OPEN) {
    epoch->shared.state = PUBSUB_SLOT_OPEN;
  } else if (state == PUBSUB_PULL_FAILED) {
    epoch->shared.state = PUBSUB_SLOT_FAILED;
  } else {
    epoch->shared.state = PUBSUB_SLOT_WAITING;
  }
  if (state == PUBSUB_PULL_OPENING) {
    subscriber->shared.metrics.stream_opens++;
    if (epoch->loop.pull.opens > 1) subscriber->shared.metrics.stream_reopens++;
  }
  epoch->shared.error = epoch->loop.pull.error;
  pubsub_subscriber_changed(subscriber);
  pthread_mutex_unlock(&subscriber->shared.mutex);
}

static const struct pubsub_pull_handler pull_handler = {&sink, on_bytes, on_response, on_state};

/* ---- outcomes ---- */

static void copy_counts(struct pubsub_subscriber *subscriber) { /* under the mutex */
  const struct pubsub_settler_counts *counts = &subscriber->loop.settler.counts;
  subscriber->shared.metrics.ack_requests = counts->ack_requests;
  subscriber->shared.metrics.extend_requests = counts->extend_requests;
  subscriber->shared.metrics.failed_requests = counts->failed_requests;
  subscriber->shared.metrics.retried_rows = counts->retried_rows;
}

static void on_settled(void *user, struct pubsub_held *held) {
  struct pubsub_subscriber *subscriber = user;
  struct pubsub_epoch *epoch = held->epoch;
  uint64_t now = now_us(subscriber);
  pubsub_held_unindex(held);
  pubsub_ack_ids_clear(&held->ack_ids);
  pthread_mutex_lock(&subscriber->shared.mutex);
  struct pubsub_subscriber_metrics *metrics = &subscriber->shared.metrics;
  copy_counts(subscriber);
  uint64_t good = held->expired ? 0 : held->rows - held->failed_rows;
  metrics->failed_rows += held->failed_rows;
  if (held->nack) {
    metrics->given_back_rows += good;
  } else {
    metrics->acknowledged_rows += good;
    /* The loop's clock stands still in an iteration: it may be behind the caller's. */
    if (now > held->ordered_us) metrics->ack_latency_us_sum += now - held->ordered_us;
    metrics->ack_latency_count++;
  }
  metrics->backlog_rows -= held->rows;
  epoch->shared.backlog_rows -= held->rows;
  epoch->shared.backlog_bytes -= held->bytes;
  held->state = PUBSUB_HELD_DONE;
  pubsub_epoch_advance(epoch);
  pubsub_subscriber_changed(subscriber);
  pthread_mutex_unlock(&subscriber->shared.mutex);
}

static void on_expired(void *user, struct pubsub_held *held) {
  struct pubsub_subscriber *subscriber = user;
  pubsub_held_unindex(held); /* what comes again is a new row */
  pthread_mutex_lock(&subscriber->shared.mutex);
  copy_counts(subscriber);
  subscriber->shared.metrics.expired_rows += held->rows;
  pthread_mutex_unlock(&subscriber->shared.mutex);
}

static void on_row_failed(void *user, struct pubsub_held *held, uint32_t row) {
  (void)user;
  pubsub_held_unindex_row(held, row);
}

/* ---- what callers asked for ---- */

static size_t epoch_count(struct pubsub_subscriber *subscriber) {
  size_t count = 0;
  pthread_mutex_lock(&subscriber->shared.mutex);
  struct pubsub_list *link = subscriber->shared.epochs.next;
  for (; link != &subscriber->shared.epochs; link = link->next)
    count++;
  pthread_mutex_unlock(&subscriber->shared.mutex);
  return count;
}

/* Short for few slots, where latency counts; with many, chunks would be so small that they cost more than they hold. */
static uint64_t linger_us(const struct pubsub_subscriber *subscriber, size_t slots) {
  if (subscriber->options.linger_ms) return (uint64_t)subscriber->options.linger_ms * 1000;
  uint64_t linger = slots * SHORTEST_LINGER_US / 4;
  if (linger < SHORTEST_LINGER_US) return SHORTEST_LINGER_US;
  return linger < LONGEST_LINGER_US ? linger : LONGEST_LINGER_US;
}

static void start(struct pubsub_epoch *epoch) {
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  const struct pubsub_subscriber_options *options = &subscriber->options;
  size_t slots = epoch_count(subscriber);
  uint64_t window = options->max_reservoir_bytes / 10 / slots;
  subscriber->loop.linger_us = linger_us(subscriber, slots);
  if (window < SMALLEST_WINDOW) window = SMALLEST_WINDOW;
  if (window > LARGEST_WINDOW) window = LARGEST_WINDOW;
  struct pubsub_pull_options pull = {.subscription = subscriber->loop.settler.subscription,
                                     .routing_header = subscriber->loop.settler.routing_header,
                                     .deadline_s = options->ack_deadline_s,
                                     .max_outstanding_messages = options->max_outstanding_messages,
                                     .max_outstanding_bytes = options->max_outstanding_bytes,
                                     .window_bytes = (uint32_t)window};
  epoch->loop.started = true;
  epoch->loop.linger.run = on_linger;
  if (pubsub_builder_new(subscriber->pool, options->columns, &epoch->loop.builder) != PUBSUB_OK ||
      pubsub_pull_init(&epoch->loop.pull, subscriber->channel, &pull, &pull_handler, epoch) !=
          PUBSUB_OK) {
    pthread_mutex_lock(&subscriber->shared.mutex);
    epoch->shared.state = PUBSUB_SLOT_FAILED;
    pubsub_error_set(&epoch->shared.error, PUBSUB_E_NOMEM, "out of memory");
    pubsub_subscriber_changed(subscriber);
    pthread_mutex_unlock(&subscriber->shared.mutex);
    return;
  }
  epoch->loop.receiving = true;
  pubsub_pull_start(&epoch->loop.pull, epoch->loop.delay_ms);
}

static void stop_receiving(struct pubsub_epoch *epoch) {
  if (!epoch->loop.receiving) return;
  pubsub_pull_stop(&epoch->loop.pull);
  pubsub_epoch_seal(epoch); /* on no memory its rows go back at the deadline */
  epoch->loop.receiving = false;
  pubsub_loop_timer_cancel(epoch->subscriber->owner, &epoch->loop.linger);
  pubsub_epoch_publish_pending(epoch, false);
}

static void epoch_clear_loop(struct pubsub_epoch *epoch) {
  if (!epoch->loop.started) return;
  pubsub_loop_timer_cancel(epoch->subscriber->owner, &epoch->loop.linger);
  pubsub_pull_clear(&epoch->loop.pull);
  pubsub_builder_destroy(epoch->loop.builder);
  epoch->loop.builder = NULL;
  epoch->loop.started = epoch->loop.receiving = false;
}

static void hand_over(struct pubsub_epoch *epoch) {
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  for (;;) {
    pthread_mutex_lock(&subscriber->shared.mutex);
    struct pubsub_held *held = epoch->shared.loop_next < epoch->shared.next_order
                                   ? pubsub_epoch_held(epoch, epoch->shared.loop_next)
                                   : NULL;
    if (held) epoch->shared.loop_next++;
    pthread_mutex_unlock(&subscriber->shared.mutex);
    if (!held) return;
    if (held->nack) pubsub_held_unindex(held); /* it comes again at once, as a new row */
    pubsub_settler_settle(&subscriber->loop.settler, held);
  }
}

static void work_on(struct pubsub_epoch *epoch) {
  struct pubsub_subscriber *subscriber = epoch->subscriber;
  pthread_mutex_lock(&subscriber->shared.mutex);
  bool close_asked = epoch->shared.close_asked;
  bool forget = epoch->shared.reported_closed, give_back = epoch->shared.give_back;
  pthread_mutex_unlock(&subscriber->shared.mutex);
  if (!close_asked && !epoch->loop.started) start(epoch);
  if (close_asked && !forget) {
    stop_receiving(epoch);
    if (give_back && epoch->loop.started) pubsub_epoch_publish_pending(epoch, true);
    pthread_mutex_lock(&subscriber->shared.mutex);
    if (give_back) pubsub_epoch_order(epoch, epoch->shared.sealed, true, now_us(subscriber));
    if (epoch->shared.state != PUBSUB_SLOT_FAILED) epoch->shared.state = PUBSUB_SLOT_DRAINING;
    pubsub_epoch_advance(epoch);
    pubsub_subscriber_changed(subscriber);
    pthread_mutex_unlock(&subscriber->shared.mutex);
  }
  hand_over(epoch);
  if (forget) {
    pthread_mutex_lock(&subscriber->shared.mutex);
    pubsub_list_remove(&epoch->shared.link);
    pthread_mutex_unlock(&subscriber->shared.mutex);
    epoch_clear_loop(epoch);
    pubsub_epoch_free(epoch);
  }
}

void pubsub_receiver_work(struct pubsub_task *task) {
  struct pubsub_subscriber *subscriber = PUBSUB_CONTAINER_OF(task, struct pubsub_subscriber, work);
  pthread_mutex_lock(&subscriber->shared.mutex);
  subscriber->shared.task_posted = false;
  pthread_mutex_unlock(&subscriber->shared.mutex);
  for_each_epoch(subscriber, work_on);
  if (subscriber->loop.paused) check_budget(subscriber);
}

enum pubsub_status pubsub_receiver_init(struct pubsub_subscriber *subscriber) {
  struct pubsub_settler *settler = &subscriber->loop.settler;
  subscriber->loop.budget.run = on_budget;
  settler->on_settled = on_settled;
  settler->on_expired = on_expired;
  settler->on_receipt = pubsub_epoch_on_receipt;
  settler->on_row_failed = on_row_failed;
  subscriber->loop.index.pool = subscriber->pool;
  settler->user = subscriber;
  return pubsub_settler_init(settler, subscriber->channel,
                             pubsub_view_str(subscriber->subscription),
                             subscriber->options.ack_deadline_s,
                             (uint64_t)subscriber->options.max_ack_extension_s * 1000000);
}

void pubsub_receiver_clear(struct pubsub_subscriber *subscriber) {
  pubsub_loop_timer_cancel(subscriber->owner, &subscriber->loop.budget);
  for_each_epoch(subscriber, epoch_clear_loop);
  pubsub_settler_clear(&subscriber->loop.settler);
  for_each_epoch(subscriber, pubsub_epoch_free_pending);
  pubsub_held_index_clear(&subscriber->loop.index);
}
