#include "sub/receiver.h"

#include "base/error.h"
#include "base/map.h"

#define BUDGET_BYTES_PER_NUMBER 2048 /* so that what is remembered takes little of it */

static uint64_t now_us(const struct pubsub_receiver *receiver) {
  return pubsub_loop_now_us(receiver->loop);
}

static void lock(struct pubsub_receiver *receiver) {
  pubsub_reservoir_lock(receiver->reservoir);
}

static void unlock(struct pubsub_receiver *receiver) {
  pubsub_reservoir_unlock(receiver->reservoir);
}

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
  bool ended = held->loop.lost_lease || held->loop.late_lease;
  uint64_t good = ended ? 0 : held->rows - held->loop.failed_rows;
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
  lock(receiver);
  copy_counts(receiver);
  count_settled(&receiver->reservoir->metrics, held, now_us(receiver));
  unlock(receiver);
  pubsub_sealer_on_settled(&receiver->sealer, held);
  pubsub_flow_review_soon(&receiver->flow);
}

static void on_lost(void *user, struct pubsub_held *held) {
  struct pubsub_receiver *receiver = user;
  size_t most = (size_t)(receiver->flow.options.max_reservoir_bytes / BUDGET_BYTES_PER_NUMBER);
  pubsub_sealer_unindex(&receiver->sealer, held); /* what comes again is a new row */
  lock(receiver);
  copy_counts(receiver);
  receiver->reservoir->metrics.expired_rows += held->rows;
  if (held->shared.chunk) {
    pubsub_sealer_expect_again(&receiver->sealer, held->shared.chunk, most);
  }
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

static void start(struct pubsub_receiver *receiver, struct pubsub_epoch *epoch) {
  if (pubsub_flow_start(&receiver->flow, epoch) == PUBSUB_OK) return;
  lock(receiver);
  epoch->shared.state = PUBSUB_SLOT_FAILED;
  pubsub_error_set(&epoch->shared.error, PUBSUB_E_NOMEM, "out of memory");
  pubsub_reservoir_changed(receiver->reservoir);
  unlock(receiver);
}

/* Hands to the settler what was asked settled. Returns how long its oldest acknowledged row was
 * held; 0: there is none. */
static uint64_t hand_over(struct pubsub_receiver *receiver, struct pubsub_epoch *epoch) {
  uint64_t oldest_us = 0;
  for (;;) {
    lock(receiver);
    struct pubsub_held *held = pubsub_epoch_hand_over(epoch);
    unlock(receiver);
    if (!held) return oldest_us;
    uint64_t held_us = now_us(receiver) - held->loop.lease.received_us;
    if (held->shared.nack) {
      pubsub_sealer_unindex(&receiver->sealer, held); /* it comes again at once, as a new row */
    } else if (held_us >= oldest_us) {
      oldest_us = held_us > 0 ? held_us : 1;
    }
    pubsub_settler_settle(&receiver->settler, held);
  }
}

/* of the flow */
static void on_ended(void *user, struct pubsub_epoch *epoch) {
  struct pubsub_receiver *receiver = user;
  lock(receiver);
  if (epoch->shared.give_back) {
    pubsub_epoch_ask_settle(epoch, epoch->shared.sealed, true, now_us(receiver));
  }
  pubsub_epoch_maybe_closed(epoch);
  pubsub_reservoir_changed(receiver->reservoir);
  unlock(receiver);
  hand_over(receiver, epoch);
}

static void close_epoch(struct pubsub_receiver *receiver, struct pubsub_epoch *epoch,
                        bool give_back) {
  lock(receiver);
  if (epoch->shared.state != PUBSUB_SLOT_FAILED) epoch->shared.state = PUBSUB_SLOT_DRAINING;
  unlock(receiver);
  pubsub_flow_close(&receiver->flow, epoch, give_back);
}

static void forget_epoch(struct pubsub_receiver *receiver, struct pubsub_epoch *epoch) {
  lock(receiver);
  pubsub_list_remove(&epoch->shared.link);
  unlock(receiver);
  pubsub_stream_free(pubsub_stream_of(epoch));
  pubsub_epoch_free(epoch);
}

struct working {
  struct pubsub_receiver *receiver;
  uint64_t oldest_us; /* of what was acknowledged */
};

static void work_on(void *user, struct pubsub_epoch *epoch) {
  struct working *working = user;
  struct pubsub_receiver *receiver = working->receiver;
  lock(receiver);
  bool close_asked = epoch->shared.close_asked, give_back = epoch->shared.give_back;
  bool over = epoch->shared.reported_closed;
  bool failed = epoch->shared.state == PUBSUB_SLOT_FAILED;
  unlock(receiver);
  if (!close_asked && !epoch->inlet && !failed) start(receiver, epoch);
  uint64_t oldest_us = hand_over(receiver, epoch);
  if (oldest_us > working->oldest_us) working->oldest_us = oldest_us;
  if (close_asked && !over) close_epoch(receiver, epoch, give_back);
  if (over) forget_epoch(receiver, epoch);
}

void pubsub_receiver_work(struct pubsub_receiver *receiver) {
  PUBSUB_ON_LOOP(receiver->loop);
  struct working working = {.receiver = receiver};
  pubsub_reservoir_for_each(receiver->reservoir, work_on, &working);
  pubsub_flow_settling(&receiver->flow, working.oldest_us);
  pubsub_flow_review_soon(&receiver->flow);
}

/* ---- the receiver itself ---- */

enum pubsub_status pubsub_receiver_init(struct pubsub_receiver *receiver,
                                        struct pubsub_channel *channel,
                                        const struct pubsub_subscriber_options *options,
                                        struct pubsub_reservoir *reservoir) {
  struct pubsub_settler *settler = &receiver->settler;
  struct pubsub_settler_options settling = {.channel = channel,
                                            .subscription = pubsub_view_str(options->subscription),
                                            .deadline_s = options->ack_deadline_s,
                                            .max_extension_us =
                                                (uint64_t)options->max_ack_extension_s * 1000000};
  receiver->loop = pubsub_channel_loop(channel);
  receiver->reservoir = reservoir;
  receiver->sealer = (struct pubsub_sealer){
      .reservoir = reservoir, .settler = settler, .index.blocks = reservoir->blocks};
  enum pubsub_status status = pubsub_settler_init(settler, &settling, &settler_handler, receiver);
  if (status != PUBSUB_OK) return status;
  struct pubsub_pull_options pull = {.subscription = settling.subscription,
                                     .routing_header = settler->routing_header,
                                     .deadline_s = options->ack_deadline_s};
  pubsub_flow_init(&receiver->flow, channel, &receiver->sealer, options, &pull);
  receiver->flow.on_ended = on_ended;
  receiver->flow.user = receiver;
  return PUBSUB_OK;
}

void pubsub_receiver_clear(struct pubsub_receiver *receiver) {
  pubsub_flow_stop(&receiver->flow);
  pubsub_settler_clear(&receiver->settler);
  pubsub_flow_clear(&receiver->flow);
  pubsub_held_index_clear(&receiver->sealer.index);
}
