#include "sub/receiver.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/map.h"

#define BUDGET_POLL_US 5000
#define SHORTEST_LINGER_US 5000
#define LONGEST_LINGER_US 20000
#define SMALLEST_WINDOW ((uint64_t)64 * 1024)
#define LARGEST_WINDOW ((uint64_t)4 << 20)

/* The receiving side of an epoch. */
struct stream {
  struct pubsub_inlet inlet; /* first: epoch.inlet is it */
  struct pubsub_receiver *receiver;
  struct pubsub_pull pull;
  struct pubsub_timer linger;
  bool receiving;
  bool reserved;      /* a cut payload is on its way into the builder */
  size_t window_owed; /* not given back: over budget */
};

static struct stream *stream_of(struct pubsub_epoch *epoch) {
  return (struct stream *)(void *)epoch->inlet;
}

static uint64_t now_us(const struct pubsub_receiver *receiver) {
  return pubsub_loop_now_us(receiver->loop);
}

static void lock(struct pubsub_receiver *receiver) {
  pubsub_reservoir_lock(receiver->reservoir);
}

static void unlock(struct pubsub_receiver *receiver) {
  pubsub_reservoir_unlock(receiver->reservoir);
}

/* ---- receiving ---- */

static enum pubsub_status seal(struct stream *stream) {
  enum pubsub_status status = pubsub_inlet_seal(&stream->inlet);
  if (status == PUBSUB_OK) pubsub_loop_timer_cancel(stream->receiver->loop, &stream->linger);
  return status;
}

static void on_linger(struct pubsub_timer *timer) {
  struct stream *stream = PUBSUB_CONTAINER_OF(timer, struct stream, linger);
  struct pubsub_receiver *receiver = stream->receiver;
  /* While memory is short, readers have enough to read: small chunks would only take more of it. */
  if (receiver->paused || seal(stream) != PUBSUB_OK) {
    pubsub_loop_timer_set(receiver->loop, timer, now_us(receiver) + receiver->linger_us);
  }
}

/* Seals before a payload that would make the chunk too large: its data then fills a block, not one and a bit. */
static enum pubsub_status make_room(struct stream *stream, size_t data_bytes) {
  uint64_t bytes = pubsub_builder_bytes(stream->inlet.builder);
  bool fits = bytes == 0 || bytes + data_bytes <= stream->receiver->options.chunk_bytes;
  return fits ? PUBSUB_OK : seal(stream);
}

static enum pubsub_status on_message(void *user, const struct pubsub_received *message) {
  struct stream *stream = user;
  struct pubsub_inlet *inlet = &stream->inlet;
  struct pubsub_receiver *receiver = stream->receiver;
  bool reserved = stream->reserved;
  bool exactly_once = receiver->sealer.delivery == PUBSUB_EXACTLY_ONCE;
  stream->reserved = false;
  if (__builtin_expect(exactly_once, 0) && pubsub_inlet_renew(inlet, message)) return PUBSUB_OK;
  uint64_t now = now_us(receiver);
  enum pubsub_status status = reserved ? PUBSUB_OK : make_room(stream, message->data.len);
  if (status == PUBSUB_OK) status = pubsub_inlet_append(inlet, message, now);
  if (status == PUBSUB_E_LIMIT) { /* a column is full */
    status = seal(stream);
    if (status == PUBSUB_OK) status = pubsub_inlet_append(inlet, message, now);
  }
  if (status != PUBSUB_OK) return status;
  uint32_t rows = pubsub_builder_rows(inlet->builder);
  if (rows >= receiver->options.chunk_rows ||
      pubsub_builder_bytes(inlet->builder) >= receiver->options.chunk_bytes) {
    return seal(stream);
  }
  if (rows == 1) {
    pubsub_loop_timer_set(receiver->loop, &stream->linger, now + receiver->linger_us);
  }
  return PUBSUB_OK;
}

static enum pubsub_status reserve_data(void *user, size_t len, uint8_t **out) {
  struct stream *stream = user;
  enum pubsub_status status = make_room(stream, len);
  if (status == PUBSUB_OK) status = pubsub_builder_reserve_data(stream->inlet.builder, len, out);
  if (status == PUBSUB_E_LIMIT) {
    status = seal(stream);
    if (status == PUBSUB_OK) status = pubsub_builder_reserve_data(stream->inlet.builder, len, out);
  }
  stream->reserved = status == PUBSUB_OK;
  return status;
}

static void on_properties(void *user, const struct pubsub_subscription_properties *properties) {
  struct stream *stream = user;
  stream->inlet.told = *properties;
}

static const struct pubsub_pull_sink sink = {
    .on_message = on_message, .reserve_data = reserve_data, .on_properties = on_properties};

static void on_response(void *user) {
  struct stream *stream = user;
  pubsub_inlet_told(&stream->inlet);
}

/* ---- the budget ---- */

static bool backlog_exists(struct pubsub_receiver *receiver) {
  bool found = false;
  struct pubsub_epoch *epoch = NULL;
  lock(receiver);
  while (!found && (epoch = pubsub_reservoir_next(receiver->reservoir, epoch))) {
    found = epoch->shared.sealed > epoch->shared.first_seq;
    /* Receipts come by themselves; before delivery is known only more bytes can tell. */
    if (receiver->sealer.delivery != PUBSUB_DELIVERY_UNKNOWN && epoch->shared.pending > 0) {
      found = true;
    }
  }
  unlock(receiver);
  return found;
}

/* An eighth is left for what is under way already and for columns that grow meanwhile. */
static bool over_budget(const struct pubsub_receiver *receiver) {
  uint64_t budget = receiver->options.max_reservoir_bytes;
  return pubsub_blocks_used_bytes(receiver->reservoir->blocks) >= budget - budget / 8;
}

static void seal_quietly(void *user, struct pubsub_epoch *epoch) {
  (void)user;
  if (epoch->inlet && stream_of(epoch)->receiving) seal(stream_of(epoch));
}

static void repay_window(void *user, struct pubsub_epoch *epoch) {
  struct stream *stream = stream_of(epoch);
  (void)user;
  if (!stream || !stream->receiving || stream->window_owed == 0) return;
  size_t owed = stream->window_owed;
  stream->window_owed = 0;
  pubsub_pull_consume(&stream->pull, owed);
}

static void check_budget(struct pubsub_receiver *receiver) {
  if (over_budget(receiver)) {
    /* Rows in a builder could never be freed: make them chunks. */
    if (!receiver->paused) pubsub_reservoir_for_each(receiver->reservoir, seal_quietly, NULL);
    receiver->paused = backlog_exists(receiver);
  } else {
    receiver->paused = false;
  }
  if (receiver->paused) {
    pubsub_loop_timer_set(receiver->loop, &receiver->budget, now_us(receiver) + BUDGET_POLL_US);
  } else {
    pubsub_reservoir_for_each(receiver->reservoir, repay_window, NULL);
  }
}

static void on_budget(struct pubsub_timer *timer) {
  check_budget(PUBSUB_CONTAINER_OF(timer, struct pubsub_receiver, budget));
}

static void on_bytes(void *user, size_t bytes) {
  struct stream *stream = user;
  struct pubsub_receiver *receiver = stream->receiver;
  receiver->sealer.received_bytes += bytes;
  if (!receiver->paused && !over_budget(receiver)) {
    pubsub_pull_consume(&stream->pull, bytes);
    return;
  }
  stream->window_owed += bytes;
  if (!receiver->paused && !pubsub_timer_is_set(&receiver->budget)) {
    pubsub_loop_timer_set(receiver->loop, &receiver->budget, now_us(receiver));
  }
}

static enum pubsub_slot_state slot_state(enum pubsub_pull_state state) {
  if (state == PUBSUB_PULL_OPEN) return PUBSUB_SLOT_OPEN;
  return state == PUBSUB_PULL_FAILED ? PUBSUB_SLOT_FAILED : PUBSUB_SLOT_WAITING;
}

static void on_state(void *user, enum pubsub_pull_state state) {
  struct stream *stream = user;
  struct pubsub_receiver *receiver = stream->receiver;
  struct pubsub_epoch *epoch = stream->inlet.epoch;
  struct pubsub_subscriber_metrics *metrics = &receiver->reservoir->metrics;
  if (state == PUBSUB_PULL_OPENING) {
    stream->window_owed = 0; /* a new stream has a new window */
    stream->reserved = false;
    stream->inlet.told = (struct pubsub_subscription_properties){0};
  }
  if (state == PUBSUB_PULL_FAILED) pubsub_inlet_publish_pending(&stream->inlet, false);
  lock(receiver);
  epoch->shared.state = slot_state(state);
  epoch->shared.error = stream->pull.error;
  metrics->stream_opens += state == PUBSUB_PULL_OPENING;
  metrics->stream_reopens += state == PUBSUB_PULL_OPENING && stream->pull.opens > 1;
  pubsub_reservoir_changed(receiver->reservoir);
  unlock(receiver);
}

static const struct pubsub_pull_handler pull_handler = {&sink, on_bytes, on_response, on_state};

/* ---- outcomes ---- */

static void copy_counts(struct pubsub_receiver *receiver) { /* under the mutex */
  const struct pubsub_settle_counts *counts = &receiver->settler.line.counts;
  struct pubsub_subscriber_metrics *metrics = &receiver->reservoir->metrics;
  metrics->ack_requests = counts->ack_requests;
  metrics->extend_requests = counts->extend_requests;
  metrics->failed_requests = counts->failed_requests;
  metrics->retried_rows = counts->retried_rows;
}

static void count_settled(struct pubsub_subscriber_metrics *metrics, const struct pubsub_held *held,
                          uint64_t now) {
  uint64_t good = held->loop.lost_lease ? 0 : held->rows - held->loop.failed_rows;
  metrics->failed_rows += held->loop.failed_rows;
  metrics->backlog_rows -= held->rows;
  if (held->shared.nack) {
    metrics->given_back_rows += good;
    return;
  }
  metrics->acknowledged_rows += good;
  /* The loop's clock stands still in an iteration: it may be behind the caller's. */
  if (now > held->shared.asked_us) metrics->ack_latency_us_sum += now - held->shared.asked_us;
  metrics->ack_latency_count++;
}

static void on_settled(void *user, struct pubsub_held *held) {
  struct pubsub_receiver *receiver = user;
  pubsub_sealer_unindex(&receiver->sealer, held);
  pubsub_ack_ids_clear(&held->loop.ack_ids);
  lock(receiver);
  copy_counts(receiver);
  count_settled(&receiver->reservoir->metrics, held, now_us(receiver));
  pubsub_epoch_settled(held->epoch, held);
  pubsub_reservoir_changed(receiver->reservoir);
  unlock(receiver);
}

static void on_lost(void *user, struct pubsub_held *held) {
  struct pubsub_receiver *receiver = user;
  pubsub_sealer_unindex(&receiver->sealer, held); /* what comes again is a new row */
  lock(receiver);
  copy_counts(receiver);
  receiver->reservoir->metrics.expired_rows += held->rows;
  unlock(receiver);
}

static void on_receipt(void *user, struct pubsub_held *held) {
  struct pubsub_receiver *receiver = user;
  pubsub_sealer_on_receipt(&receiver->sealer, held);
}

static void on_row_failed(void *user, struct pubsub_held *held, uint32_t row) {
  struct pubsub_receiver *receiver = user;
  pubsub_sealer_unindex_row(&receiver->sealer, held, row);
}

static const struct pubsub_settler_handler settler_handler = {on_settled, on_lost, on_receipt,
                                                              on_row_failed};

/* ---- what callers asked for ---- */

static size_t epoch_count(struct pubsub_receiver *receiver) {
  size_t count = 0;
  struct pubsub_epoch *epoch = NULL;
  lock(receiver);
  while ((epoch = pubsub_reservoir_next(receiver->reservoir, epoch)))
    count++;
  unlock(receiver);
  return count;
}

/* Short for few slots, where latency counts; with many, chunks would be so small that they cost more than they hold. */
static uint64_t linger_us(const struct pubsub_receiver *receiver, size_t slots) {
  if (receiver->options.linger_ms) return (uint64_t)receiver->options.linger_ms * 1000;
  uint64_t linger = slots * SHORTEST_LINGER_US / 4;
  if (linger < SHORTEST_LINGER_US) return SHORTEST_LINGER_US;
  return linger < LONGEST_LINGER_US ? linger : LONGEST_LINGER_US;
}

static enum pubsub_status make_stream(struct pubsub_receiver *receiver, struct pubsub_epoch *epoch,
                                      const struct pubsub_pull_options *pull) {
  struct stream *stream = pubsub_alloc_zero(1, sizeof *stream);
  if (!stream) return PUBSUB_E_NOMEM;
  stream->receiver = receiver;
  stream->linger.run = on_linger;
  enum pubsub_status status =
      pubsub_inlet_init(&stream->inlet, &receiver->sealer, epoch, receiver->options.columns);
  if (status == PUBSUB_OK) {
    status = pubsub_pull_init(&stream->pull, receiver->channel, pull, &pull_handler, stream);
  }
  if (status == PUBSUB_OK) {
    epoch->inlet = &stream->inlet;
  } else {
    pubsub_inlet_clear(&stream->inlet);
    pubsub_free(stream);
  }
  return status;
}

static void set_failed(struct pubsub_receiver *receiver, struct pubsub_epoch *epoch) {
  lock(receiver);
  epoch->shared.state = PUBSUB_SLOT_FAILED;
  pubsub_error_set(&epoch->shared.error, PUBSUB_E_NOMEM, "out of memory");
  pubsub_reservoir_changed(receiver->reservoir);
  unlock(receiver);
}

static void start(struct pubsub_receiver *receiver, struct pubsub_epoch *epoch) {
  const struct pubsub_subscriber_options *options = &receiver->options;
  size_t slots = epoch_count(receiver);
  uint64_t window = options->max_reservoir_bytes / 10 / slots;
  receiver->linger_us = linger_us(receiver, slots);
  if (window < SMALLEST_WINDOW) window = SMALLEST_WINDOW;
  if (window > LARGEST_WINDOW) window = LARGEST_WINDOW;
  struct pubsub_pull_options pull = {.subscription = receiver->settler.line.subscription,
                                     .routing_header = receiver->settler.routing_header,
                                     .deadline_s = options->ack_deadline_s,
                                     .max_outstanding_messages = options->max_outstanding_messages,
                                     .max_outstanding_bytes = options->max_outstanding_bytes,
                                     .window_bytes = (uint32_t)window};
  if (make_stream(receiver, epoch, &pull) != PUBSUB_OK) {
    set_failed(receiver, epoch);
    return;
  }
  stream_of(epoch)->receiving = true;
  lock(receiver);
  epoch->shared.receiving = true;
  unlock(receiver);
  pubsub_pull_start(&stream_of(epoch)->pull, epoch->delay_ms);
}

static void stop_receiving(struct pubsub_receiver *receiver, struct stream *stream) {
  if (!stream->receiving) return;
  pubsub_pull_stop(&stream->pull);
  if (seal(stream) != PUBSUB_OK) pubsub_inlet_drop_rows(&stream->inlet);
  stream->receiving = false;
  pubsub_loop_timer_cancel(receiver->loop, &stream->linger);
  pubsub_inlet_publish_pending(&stream->inlet, false);
  lock(receiver);
  stream->inlet.epoch->shared.receiving = false;
  unlock(receiver);
}

/* Of a stream whose pending chunks the settler does not name any more. */
static void stream_free(struct stream *stream) {
  if (!stream) return;
  stream->inlet.epoch->inlet = NULL;
  pubsub_loop_timer_cancel(stream->receiver->loop, &stream->linger);
  pubsub_pull_clear(&stream->pull);
  pubsub_inlet_clear(&stream->inlet);
  pubsub_free(stream);
}

static void hand_over(struct pubsub_receiver *receiver, struct pubsub_epoch *epoch) {
  for (;;) {
    lock(receiver);
    struct pubsub_held *held = pubsub_epoch_hand_over(epoch);
    unlock(receiver);
    if (!held) return;
    /* It comes again at once, as a new row. */
    if (held->shared.nack) pubsub_sealer_unindex(&receiver->sealer, held);
    pubsub_settler_settle(&receiver->settler, held);
  }
}

static void close_epoch(struct pubsub_receiver *receiver, struct pubsub_epoch *epoch,
                        bool give_back) {
  struct stream *stream = stream_of(epoch);
  if (stream) stop_receiving(receiver, stream);
  if (stream && give_back) pubsub_inlet_publish_pending(&stream->inlet, true);
  lock(receiver);
  if (give_back) pubsub_epoch_ask_settle(epoch, epoch->shared.sealed, true, now_us(receiver));
  if (epoch->shared.state != PUBSUB_SLOT_FAILED) epoch->shared.state = PUBSUB_SLOT_DRAINING;
  pubsub_epoch_maybe_closed(epoch);
  pubsub_reservoir_changed(receiver->reservoir);
  unlock(receiver);
}

static void forget_epoch(struct pubsub_receiver *receiver, struct pubsub_epoch *epoch) {
  lock(receiver);
  pubsub_list_remove(&epoch->shared.link);
  unlock(receiver);
  stream_free(stream_of(epoch));
  pubsub_epoch_free(epoch);
}

static void work_on(void *user, struct pubsub_epoch *epoch) {
  struct pubsub_receiver *receiver = user;
  lock(receiver);
  bool close_asked = epoch->shared.close_asked, give_back = epoch->shared.give_back;
  bool over = epoch->shared.reported_closed;
  bool failed = epoch->shared.state == PUBSUB_SLOT_FAILED;
  unlock(receiver);
  if (!close_asked && !epoch->inlet && !failed) start(receiver, epoch);
  if (close_asked && !over) close_epoch(receiver, epoch, give_back);
  hand_over(receiver, epoch);
  if (over) forget_epoch(receiver, epoch);
}

void pubsub_receiver_work(struct pubsub_receiver *receiver) {
  pubsub_reservoir_for_each(receiver->reservoir, work_on, receiver);
  if (receiver->paused) check_budget(receiver);
}

/* ---- the receiver itself ---- */

enum pubsub_status pubsub_receiver_init(struct pubsub_receiver *receiver,
                                        struct pubsub_channel *channel,
                                        const struct pubsub_subscriber_options *options,
                                        struct pubsub_reservoir *reservoir) {
  struct pubsub_settler_options settler = {.channel = channel,
                                           .subscription = pubsub_view_str(options->subscription),
                                           .deadline_s = options->ack_deadline_s,
                                           .max_extension_us =
                                               (uint64_t)options->max_ack_extension_s * 1000000};
  receiver->channel = channel;
  receiver->loop = pubsub_channel_loop(channel);
  receiver->options = *options;
  receiver->reservoir = reservoir;
  receiver->budget.run = on_budget;
  receiver->sealer = (struct pubsub_sealer){
      .reservoir = reservoir, .settler = &receiver->settler, .index.blocks = reservoir->blocks};
  return pubsub_settler_init(&receiver->settler, &settler, &settler_handler, receiver);
}

static void stop_pulling(void *user, struct pubsub_epoch *epoch) {
  (void)user;
  if (epoch->inlet) pubsub_pull_stop(&stream_of(epoch)->pull);
}

static void free_stream_of(void *user, struct pubsub_epoch *epoch) {
  (void)user;
  stream_free(stream_of(epoch));
}

void pubsub_receiver_clear(struct pubsub_receiver *receiver) {
  if (!receiver->loop) return;
  pubsub_loop_timer_cancel(receiver->loop, &receiver->budget);
  pubsub_reservoir_for_each(receiver->reservoir, stop_pulling, NULL);
  pubsub_settler_clear(&receiver->settler);
  pubsub_reservoir_for_each(receiver->reservoir, free_stream_of, NULL);
  pubsub_held_index_clear(&receiver->sealer.index);
}
