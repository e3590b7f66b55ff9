#include "sub/flow.h"

#include "base/map.h"

#define TICK_US 1000000
#define REVIEW_GAP_US 1000
#define BUDGET_POLL_US 5000
#define LONGEST_PAUSE_US 2000000 /* or a quarter of the ack deadline */
#define SHORTEST_LINGER_US 5000
#define LONGEST_LINGER_US 20000
#define SMALLEST_WINDOW ((uint64_t)64 * 1024)
#define LARGEST_WINDOW ((uint64_t)4 << 20)
#define SMALLEST_CHUNK ((uint64_t)32 * 1024)

static uint64_t now_us(const struct pubsub_flow *flow) {
  return pubsub_loop_now_us(flow->intake.loop);
}

static uint64_t between(uint64_t low, uint64_t value, uint64_t high) {
  if (value < low) return low;
  return value < high ? value : high;
}

static uint64_t used_bytes(const struct pubsub_flow *flow) {
  return pubsub_blocks_used_bytes(flow->reservoir->blocks);
}

static void lock(struct pubsub_flow *flow) {
  pubsub_reservoir_lock(flow->reservoir);
}

static void unlock(struct pubsub_flow *flow) {
  pubsub_reservoir_unlock(flow->reservoir);
}

/* ---- the plan ---- */

/* Whether the stream would receive if it were asked to. */
static bool would_receive(const struct pubsub_stream *stream) {
  return stream && stream->receiving && !stream->closing &&
         stream->pull.state != PUBSUB_PULL_FAILED;
}

static void count_one(void *user, struct pubsub_epoch *epoch) {
  *(uint32_t *)user += would_receive(pubsub_stream_of(epoch));
}

/* Short for few slots, where latency counts; with many, chunks would be so small that they cost
 * more than they hold. */
static uint64_t linger_us(const struct pubsub_flow *flow, uint32_t slots) {
  if (flow->options.linger_ms) return (uint64_t)flow->options.linger_ms * 1000;
  return between(SHORTEST_LINGER_US, slots * SHORTEST_LINGER_US / 4, LONGEST_LINGER_US);
}

static uint64_t smaller(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

/* Small enough that unfinished ones are no matter for the budget, and that what is settled at a
 * time has some of every slot. */
static void size_chunks(struct pubsub_flow *flow, uint64_t trigger_rows) {
  const struct pubsub_subscriber_options *options = &flow->options;
  uint64_t share = options->max_reservoir_bytes / 8 / flow->plan.active;
  flow->intake.chunk_bytes =
      smaller(options->chunk_bytes, share > SMALLEST_CHUNK ? share : SMALLEST_CHUNK);
  flow->intake.chunk_rows = options->chunk_rows;
  if (trigger_rows > 0) {
    uint64_t rows = between(1, trigger_rows / flow->plan.active, options->chunk_rows);
    flow->intake.chunk_rows = (uint32_t)rows;
  }
}

static void plan(struct pubsub_flow *flow) {
  const struct pubsub_subscriber_options *options = &flow->options;
  uint32_t slots = 0;
  pubsub_reservoir_for_each(flow->reservoir, count_one, &slots);
  if (slots == 0) slots = 1;
  struct pubsub_demand_input in = {.budget_bytes = options->max_reservoir_bytes,
                                   .slots = slots,
                                   .max_extension_us =
                                       (uint64_t)options->max_ack_extension_s * 1000000,
                                   .max_rows = options->max_outstanding_messages,
                                   .max_bytes = options->max_outstanding_bytes,
                                   .sizes = &flow->intake.sizes,
                                   .pace = &flow->pace};
  lock(flow);
  in.trigger_rows = flow->reservoir->trigger_rows;
  in.trigger_bytes = flow->reservoir->trigger_bytes;
  unlock(flow);
  flow->plan = pubsub_demand_plan(&in, now_us(flow));
  flow->intake.linger_us = linger_us(flow, slots);
  size_chunks(flow, in.trigger_rows);
}

/* ---- single streams ---- */

static bool has_cooled(const struct pubsub_flow *flow, struct pubsub_stream *stream) {
  if (stream->cooling) stream->cooling = used_bytes(flow) > flow->options.max_reservoir_bytes / 2;
  return !stream->cooling;
}

static void note_bounds(struct pubsub_flow *flow, struct pubsub_stream *stream) {
  uint64_t largest = pubsub_demand_largest(&flow->intake.sizes, now_us(flow));
  const struct pubsub_inlet *inlet = &stream->inlet;
  if (inlet->lent_rows >= stream->limits.messages / 4 * 3) stream->rows_bound = true;
  if (inlet->lent_bytes + largest >= stream->limits.bytes / 4 * 3) stream->bytes_bound = true;
}

static void review_open(struct pubsub_flow *flow, struct pubsub_stream *stream, bool active) {
  note_bounds(flow, stream);
  struct pubsub_demand_stream seen = {.active = active,
                                      .rows_bound = stream->rows_bound,
                                      .bytes_bound = stream->bytes_bound,
                                      .rows = stream->limits.messages,
                                      .bytes = stream->limits.bytes,
                                      .opened_us = stream->opened_us};
  if (pubsub_demand_review(&seen, &flow->plan, now_us(flow)) == PUBSUB_DEMAND_KEEP) return;
  pubsub_pull_finish(&stream->pull);
  pubsub_stream_repay(stream);
}

struct holding {
  const struct pubsub_stream *but;
  uint64_t rows, bytes;
};

static uint64_t larger(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

/* What a slot holds, and where it has a stream, what that may bring. */
static void hold_one(void *user, struct pubsub_epoch *epoch) {
  struct holding *holding = user;
  const struct pubsub_stream *stream = pubsub_stream_of(epoch);
  if (!stream || stream == holding->but) return;
  bool asked = pubsub_pull_has_stream(&stream->pull);
  holding->rows += larger(stream->inlet.lent_rows, asked ? stream->limits.messages : 0);
  holding->bytes += larger(stream->inlet.lent_bytes, asked ? stream->limits.bytes : 0);
}

/* The limits of a stream that is to be opened: of what is planned for all, what the other slots
 * leave. False: it is better to wait. */
static bool find_limits(struct pubsub_flow *flow, struct pubsub_stream *stream,
                        struct pubsub_pull_limits *out) {
  struct holding others = {.but = stream};
  uint64_t rows = flow->plan.rows * flow->plan.active, bytes = flow->plan.bytes * flow->plan.active;
  if (flow->intake.paused || !has_cooled(flow, stream)) return false;
  if (!pubsub_demand_open(&flow->plan, stream->inlet.lent_rows, stream->inlet.lent_bytes,
                          &out->messages, &out->bytes)) {
    return false;
  }
  pubsub_reservoir_for_each(flow->reservoir, hold_one, &others);
  rows -= smaller(rows, others.rows + stream->inlet.lent_rows);
  bytes -= smaller(bytes, others.bytes + stream->inlet.lent_bytes);
  bool alone = others.rows + others.bytes == 0;
  if (!alone && (rows < out->messages / 2 + 1 || bytes < out->bytes / 2 + 1)) return false;
  if (alone) return true;
  out->messages = smaller(out->messages, rows);
  out->bytes = smaller(out->bytes, bytes);
  return true;
}

static void review_resting(struct pubsub_flow *flow, struct pubsub_stream *stream, bool active) {
  struct pubsub_pull_limits limits;
  if (active && find_limits(flow, stream, &limits)) pubsub_pull_start(&stream->pull, 0);
}

struct reviewing {
  struct pubsub_flow *flow;
  uint32_t rank; /* among those that would receive */
};

static void review_one(void *user, struct pubsub_epoch *epoch) {
  struct reviewing *reviewing = user;
  struct pubsub_flow *flow = reviewing->flow;
  struct pubsub_stream *stream = pubsub_stream_of(epoch);
  if (!would_receive(stream)) return;
  bool active = reviewing->rank++ < flow->plan.active;
  if (stream->pull.state == PUBSUB_PULL_OPEN) review_open(flow, stream, active);
  if (stream->pull.state == PUBSUB_PULL_RESTING) review_resting(flow, stream, active);
}

static void review(struct pubsub_flow *flow) {
  struct reviewing reviewing = {.flow = flow};
  plan(flow);
  pubsub_reservoir_for_each(flow->reservoir, review_one, &reviewing);
}

static void on_tick(struct pubsub_timer *timer) {
  struct pubsub_flow *flow = PUBSUB_CONTAINER_OF(timer, struct pubsub_flow, tick);
  review(flow);
  pubsub_loop_timer_set(flow->intake.loop, timer, now_us(flow) + TICK_US);
}

void pubsub_flow_review_soon(struct pubsub_flow *flow) {
  uint64_t due = now_us(flow) + REVIEW_GAP_US;
  if (pubsub_timer_is_set(&flow->tick) && flow->tick.node.due > due) {
    pubsub_loop_timer_set(flow->intake.loop, &flow->tick, due);
  }
}

struct ranking {
  const struct pubsub_stream *stream;
  uint32_t rank;
  bool found;
};

static void rank_one(void *user, struct pubsub_epoch *epoch) {
  struct ranking *ranking = user;
  struct pubsub_stream *stream = pubsub_stream_of(epoch);
  ranking->found = ranking->found || stream == ranking->stream;
  if (!ranking->found) ranking->rank += would_receive(stream);
}

/* of the streams: one is about to be opened */
static bool on_limits(void *user, struct pubsub_stream *stream, struct pubsub_pull_limits *out) {
  struct pubsub_flow *flow = user;
  struct ranking ranking = {.stream = stream};
  plan(flow);
  pubsub_reservoir_for_each(flow->reservoir, rank_one, &ranking);
  if (!would_receive(stream) || ranking.rank >= flow->plan.active) return false;
  if (!find_limits(flow, stream, out)) return false;
  stream->limits = *out;
  stream->rows_bound = stream->bytes_bound = false;
  stream->opened_us = now_us(flow);
  return true;
}

/* ---- the budget ---- */

static void backlog_of(void *user, struct pubsub_epoch *epoch) {
  struct pubsub_stream *stream = pubsub_stream_of(epoch);
  *(bool *)user = *(bool *)user || (stream && stream->inlet.lent_rows > 0);
}

/* Whether there is something that readers or the settler can free. Before delivery is known only
 * more bytes can tell. */
static bool backlog_exists(struct pubsub_flow *flow) {
  bool found = false;
  struct pubsub_epoch *epoch = NULL;
  if (flow->intake.sealer->delivery != PUBSUB_DELIVERY_UNKNOWN) {
    pubsub_reservoir_for_each(flow->reservoir, backlog_of, &found);
    return found;
  }
  lock(flow);
  while (!found && (epoch = pubsub_reservoir_next(flow->reservoir, epoch)))
    found = epoch->shared.sealed > epoch->shared.first_seq;
  unlock(flow);
  return found;
}

/* An eighth is left for what is under way already and for columns that grow meanwhile. */
static bool over_budget(const struct pubsub_flow *flow) {
  uint64_t budget = flow->options.max_reservoir_bytes;
  return used_bytes(flow) >= budget - budget / 8;
}

static void seal_one(void *user, struct pubsub_epoch *epoch) {
  struct pubsub_stream *stream = pubsub_stream_of(epoch);
  (void)user;
  if (stream && stream->receiving) pubsub_stream_seal(stream);
}

static void repay_one(void *user, struct pubsub_epoch *epoch) {
  struct pubsub_stream *stream = pubsub_stream_of(epoch);
  (void)user;
  if (stream && stream->receiving) pubsub_stream_repay(stream);
}

/* What the service sends now could only wait on the wire. */
static void turn_away_one(void *user, struct pubsub_epoch *epoch) {
  struct pubsub_stream *stream = pubsub_stream_of(epoch);
  (void)user;
  if (!stream || !stream->receiving || stream->window_owed == 0) return;
  if (!pubsub_pull_has_stream(&stream->pull)) return;
  stream->cooling = true;
  pubsub_stream_turn_away(stream);
}

static uint64_t longest_pause_us(const struct pubsub_flow *flow) {
  return between(0, (uint64_t)flow->options.ack_deadline_s * 1000000 / 4, LONGEST_PAUSE_US);
}

static void check_budget(struct pubsub_flow *flow) {
  bool was_paused = flow->intake.paused;
  if (over_budget(flow)) {
    /* Rows in a builder could never be freed: make them chunks. */
    if (!was_paused) pubsub_reservoir_for_each(flow->reservoir, seal_one, NULL);
    flow->intake.paused = backlog_exists(flow);
  } else {
    flow->intake.paused = false;
  }
  if (flow->intake.paused) {
    if (!was_paused) flow->paused_us = now_us(flow);
    if (now_us(flow) - flow->paused_us >= longest_pause_us(flow)) {
      pubsub_reservoir_for_each(flow->reservoir, turn_away_one, NULL);
    }
    pubsub_loop_timer_set(flow->intake.loop, &flow->budget, now_us(flow) + BUDGET_POLL_US);
  } else {
    pubsub_reservoir_for_each(flow->reservoir, repay_one, NULL);
    if (was_paused) pubsub_flow_review_soon(flow);
  }
}

static void on_budget(struct pubsub_timer *timer) {
  check_budget(PUBSUB_CONTAINER_OF(timer, struct pubsub_flow, budget));
}

/* of the streams */
static void on_bytes(void *user, struct pubsub_stream *stream, size_t bytes) {
  struct pubsub_flow *flow = user;
  flow->intake.sealer->received_bytes += bytes;
  /* What is to end is not to wait on the wire. */
  bool passes = stream->turning_away || stream->pull.state == PUBSUB_PULL_FINISHING;
  if (passes || (!flow->intake.paused && !over_budget(flow))) {
    pubsub_pull_consume(&stream->pull, bytes);
    return;
  }
  stream->window_owed += bytes;
  if (!flow->intake.paused && !pubsub_timer_is_set(&flow->budget)) {
    pubsub_loop_timer_set(flow->intake.loop, &flow->budget, now_us(flow));
  }
}

/* ---- states ---- */

static enum pubsub_slot_state slot_state(const struct pubsub_flow *flow,
                                         const struct pubsub_stream *stream) {
  switch (stream->pull.state) {
  case PUBSUB_PULL_OPEN:
  case PUBSUB_PULL_FINISHING:
    return PUBSUB_SLOT_OPEN;
  case PUBSUB_PULL_RESTING:
    return flow->any_open ? PUBSUB_SLOT_OPEN : PUBSUB_SLOT_WAITING;
  case PUBSUB_PULL_FAILED:
    return PUBSUB_SLOT_FAILED;
  default:
    return PUBSUB_SLOT_WAITING;
  }
}

static void tell_state(void *user, struct pubsub_epoch *epoch) {
  struct pubsub_flow *flow = user;
  struct pubsub_stream *stream = pubsub_stream_of(epoch);
  if (!stream || !stream->receiving || stream->closing) return;
  lock(flow);
  epoch->shared.state = slot_state(flow, stream);
  epoch->shared.error = stream->pull.error;
  pubsub_reservoir_changed(flow->reservoir);
  unlock(flow);
}

static void end(struct pubsub_flow *flow, struct pubsub_stream *stream) {
  struct pubsub_epoch *epoch = stream->inlet.epoch;
  bool give_back;
  pubsub_stream_end(stream);
  lock(flow);
  epoch->shared.receiving = false;
  give_back = epoch->shared.give_back;
  unlock(flow);
  if (give_back) pubsub_inlet_publish_pending(&stream->inlet, true);
  flow->on_ended(flow->user, epoch);
}

static void count_opening(struct pubsub_flow *flow, const struct pubsub_stream *stream) {
  struct pubsub_subscriber_metrics *metrics = &flow->reservoir->metrics;
  lock(flow);
  metrics->stream_opens++;
  metrics->stream_reopens += stream->pull.opens > 1;
  unlock(flow);
}

/* of the streams */
static void on_state(void *user, struct pubsub_stream *stream) {
  struct pubsub_flow *flow = user;
  enum pubsub_pull_state state = stream->pull.state;
  bool any_open = flow->any_open;
  if (state == PUBSUB_PULL_OPENING) count_opening(flow, stream);
  if (state == PUBSUB_PULL_OPEN) flow->any_open = true;
  if (state == PUBSUB_PULL_FAILED) flow->any_open = false;
  if (state == PUBSUB_PULL_RESTING && stream->closing) {
    end(flow, stream);
    return;
  }
  tell_state(flow, stream->inlet.epoch);
  if (any_open != flow->any_open) {
    pubsub_reservoir_for_each(flow->reservoir, tell_state, flow);
  }
  if (state != PUBSUB_PULL_RESTING) return;
  pubsub_stream_rested(stream);
  pubsub_flow_review_soon(flow); /* opened again from there */
}

/* ---- epochs ---- */

enum pubsub_status pubsub_flow_start(struct pubsub_flow *flow, struct pubsub_epoch *epoch) {
  PUBSUB_ON_LOOP(flow->intake.loop);
  enum pubsub_status status = pubsub_stream_new(&flow->intake, epoch, &flow->pull);
  if (status != PUBSUB_OK) return status;
  lock(flow);
  epoch->shared.receiving = true;
  unlock(flow);
  plan(flow);
  uint64_t window = flow->options.max_reservoir_bytes / 10 / flow->plan.active;
  pubsub_stream_of(epoch)->pull.options.window_bytes =
      (uint32_t)between(SMALLEST_WINDOW, window, LARGEST_WINDOW);
  pubsub_pull_start(&pubsub_stream_of(epoch)->pull, epoch->delay_ms);
  if (!pubsub_timer_is_set(&flow->tick)) {
    pubsub_loop_timer_set(flow->intake.loop, &flow->tick, now_us(flow) + TICK_US);
  }
  return PUBSUB_OK;
}

void pubsub_flow_close(struct pubsub_flow *flow, struct pubsub_epoch *epoch, bool give_back) {
  PUBSUB_ON_LOOP(flow->intake.loop);
  struct pubsub_stream *stream = pubsub_stream_of(epoch);
  if (!stream || !stream->receiving) {
    if (stream && give_back) pubsub_inlet_publish_pending(&stream->inlet, true);
    flow->on_ended(flow->user, epoch);
    return;
  }
  bool first = !stream->closing;
  stream->closing = true;
  if (give_back) stream->turning_away = true;
  enum pubsub_pull_state state = stream->pull.state;
  if (state == PUBSUB_PULL_RESTING || state >= PUBSUB_PULL_FAILED) {
    end(flow, stream);
  } else if (first) {
    pubsub_pull_finish(&stream->pull); /* on_state ends it, perhaps at once */
    if (stream->receiving) pubsub_stream_repay(stream);
  }
}

void pubsub_flow_settling(struct pubsub_flow *flow, uint64_t oldest_us) {
  uint64_t rows = 0;
  struct pubsub_epoch *epoch = NULL;
  if (oldest_us == 0) return;
  lock(flow);
  while ((epoch = pubsub_reservoir_next(flow->reservoir, epoch)))
    rows += epoch->shared.backlog_rows;
  unlock(flow);
  pubsub_demand_eaten(&flow->pace, oldest_us, rows,
                      (uint64_t)flow->options.max_ack_extension_s * 1000000, now_us(flow));
}

/* ---- the flow itself ---- */

void pubsub_flow_init(struct pubsub_flow *flow, struct pubsub_channel *channel,
                      struct pubsub_sealer *sealer, const struct pubsub_subscriber_options *options,
                      const struct pubsub_pull_options *pull) {
  flow->reservoir = sealer->reservoir;
  flow->options = *options;
  flow->pull = *pull;
  flow->tick.run = on_tick;
  flow->budget.run = on_budget;
  flow->intake = (struct pubsub_intake){.channel = channel,
                                        .loop = pubsub_channel_loop(channel),
                                        .sealer = sealer,
                                        .columns = options->columns,
                                        .chunk_rows = options->chunk_rows,
                                        .chunk_bytes = options->chunk_bytes,
                                        .budget_bytes = options->max_reservoir_bytes,
                                        .on_bytes = on_bytes,
                                        .on_state = on_state,
                                        .on_limits = on_limits,
                                        .user = flow};
}

static void stop_one(void *user, struct pubsub_epoch *epoch) {
  (void)user;
  if (epoch->inlet) pubsub_pull_stop(&pubsub_stream_of(epoch)->pull);
}

static void free_one(void *user, struct pubsub_epoch *epoch) {
  (void)user;
  pubsub_stream_free(pubsub_stream_of(epoch));
}

void pubsub_flow_stop(struct pubsub_flow *flow) {
  pubsub_loop_timer_cancel(flow->intake.loop, &flow->tick);
  pubsub_loop_timer_cancel(flow->intake.loop, &flow->budget);
  pubsub_reservoir_for_each(flow->reservoir, stop_one, NULL);
}

void pubsub_flow_clear(struct pubsub_flow *flow) {
  pubsub_reservoir_for_each(flow->reservoir, free_one, NULL);
}
