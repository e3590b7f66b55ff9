#include "sub/stream.h"

#include "base/alloc.h"
#include "base/map.h"

#define LONGEST_LINGER_US 1000000 /* also while memory is short: rows are to be leased */
#define AWAY_ROWS 2500            /* ids that fill a request */

static uint64_t now_us(const struct pubsub_stream *stream) {
  return pubsub_loop_now_us(stream->intake->loop);
}

enum pubsub_status pubsub_stream_seal(struct pubsub_stream *stream) {
  PUBSUB_ON_LOOP(stream->intake->loop);
  struct pubsub_intake *intake = stream->intake;
  struct pubsub_sealed sealed = {0};
  enum pubsub_status status = pubsub_inlet_seal(&stream->inlet, &sealed);
  if (status != PUBSUB_OK) return status;
  pubsub_loop_timer_cancel(intake->loop, &stream->linger);
  if (sealed.rows > 0) {
    pubsub_demand_chunk(&intake->sizes, sealed.rows, sealed.wire_bytes, sealed.room_bytes);
    pubsub_demand_message(&intake->sizes, sealed.largest_bytes, sealed.rows, now_us(stream));
  }
  return PUBSUB_OK;
}

static void on_linger(struct pubsub_timer *timer) {
  struct pubsub_stream *stream = PUBSUB_CONTAINER_OF(timer, struct pubsub_stream, linger);
  struct pubsub_intake *intake = stream->intake;
  bool old = now_us(stream) - stream->inlet.first_receive_us >= LONGEST_LINGER_US;
  /* While memory is short, readers have enough to read: small chunks would only take more of it. */
  if ((intake->paused && !old) || pubsub_stream_seal(stream) != PUBSUB_OK) {
    pubsub_loop_timer_set(intake->loop, timer, now_us(stream) + intake->linger_us);
  }
}

/* ---- rows that are turned away ---- */

static enum pubsub_status give_back(struct pubsub_stream *stream) {
  if (!stream->away || pubsub_builder_rows(stream->away) == 0) return PUBSUB_OK;
  return pubsub_inlet_give_back(&stream->inlet, stream->away);
}

static enum pubsub_status turn_away(struct pubsub_stream *stream,
                                    const struct pubsub_received *message) {
  struct pubsub_received id = {.ack_id = message->ack_id};
  enum pubsub_status status = PUBSUB_OK;
  if (!stream->away) {
    status = pubsub_builder_new(stream->inlet.sealer->reservoir->blocks, 0, &stream->away);
  }
  if (status == PUBSUB_OK) status = pubsub_builder_append(stream->away, &id);
  if (status == PUBSUB_OK && pubsub_builder_rows(stream->away) >= AWAY_ROWS) {
    status = give_back(stream);
  }
  return status;
}

void pubsub_stream_turn_away(struct pubsub_stream *stream) {
  PUBSUB_ON_LOOP(stream->intake->loop);
  if (!pubsub_pull_has_stream(&stream->pull)) return;
  stream->turning_away = true;
  pubsub_pull_finish(&stream->pull);
  pubsub_stream_repay(stream);
}

/* The rest of a message that was cut off does not come: its room is free for others. */
static void forget_cut(struct pubsub_stream *stream) {
  if (stream->inlet.builder) pubsub_builder_forget_reserved(stream->inlet.builder);
  stream->reserved = stream->message_away = false;
}

void pubsub_stream_rested(struct pubsub_stream *stream) {
  PUBSUB_ON_LOOP(stream->intake->loop);
  give_back(stream); /* on no memory they come again at their deadline */
  stream->turning_away = false;
  forget_cut(stream);
  stream->window_owed = 0;
}

/* ---- rows that are taken ---- */

/* A message for which there is no room. One that is larger than half of the budget is taken once
 * the other half is free. */
static bool is_too_much(const struct pubsub_stream *stream, size_t data_bytes) {
  const struct pubsub_intake *intake = stream->intake;
  uint64_t used = pubsub_blocks_used_bytes(stream->inlet.sealer->reservoir->blocks);
  if (used <= intake->budget_bytes / 2) return false;
  return used + data_bytes > intake->budget_bytes + intake->budget_bytes / 20;
}

/* Seals before a payload that would make the chunk too large: its data then fills a block, not one
 * and a bit. */
static enum pubsub_status make_room(struct pubsub_stream *stream, size_t data_bytes) {
  uint64_t bytes = pubsub_builder_bytes(stream->inlet.builder);
  bool fits = bytes == 0 || bytes + data_bytes <= stream->intake->chunk_bytes;
  return fits ? PUBSUB_OK : pubsub_stream_seal(stream);
}

static enum pubsub_status take(struct pubsub_stream *stream, const struct pubsub_received *message,
                               bool reserved) {
  struct pubsub_inlet *inlet = &stream->inlet;
  struct pubsub_intake *intake = stream->intake;
  uint64_t now = now_us(stream);
  enum pubsub_status status = reserved ? PUBSUB_OK : make_room(stream, message->data.len);
  if (status == PUBSUB_OK) status = pubsub_inlet_append(inlet, message, now);
  if (status == PUBSUB_E_LIMIT) { /* a column is full */
    status = pubsub_stream_seal(stream);
    if (status == PUBSUB_OK) status = pubsub_inlet_append(inlet, message, now);
  }
  if (status != PUBSUB_OK) return status;
  uint32_t rows = pubsub_builder_rows(inlet->builder);
  if (rows >= intake->chunk_rows || pubsub_builder_bytes(inlet->builder) >= intake->chunk_bytes) {
    return pubsub_stream_seal(stream);
  }
  if (rows == 1) pubsub_loop_timer_set(intake->loop, &stream->linger, now + intake->linger_us);
  return PUBSUB_OK;
}

static enum pubsub_status on_message(void *user, const struct pubsub_received *message) {
  struct pubsub_stream *stream = user;
  bool reserved = stream->reserved, away = stream->message_away;
  bool exactly_once = stream->inlet.sealer->delivery == PUBSUB_EXACTLY_ONCE;
  stream->reserved = stream->message_away = false;
  if (__builtin_expect(exactly_once, 0) && pubsub_inlet_renew(&stream->inlet, message)) {
    return PUBSUB_OK;
  }
  if (__builtin_expect(stream->turning_away || away, 0)) return turn_away(stream, message);
  if (!reserved && __builtin_expect(is_too_much(stream, message->data.len), 0)) {
    stream->cooling = true;
    pubsub_stream_turn_away(stream);
    return turn_away(stream, message);
  }
  return take(stream, message, reserved);
}

static enum pubsub_status reserve_data(void *user, size_t len, uint8_t **out) {
  struct pubsub_stream *stream = user;
  *out = NULL;
  pubsub_demand_message(&stream->intake->sizes, len, 0, now_us(stream));
  if (!stream->turning_away && is_too_much(stream, len)) {
    stream->cooling = true;
    pubsub_stream_turn_away(stream);
  }
  stream->message_away = stream->turning_away;
  if (stream->message_away) return PUBSUB_OK;
  enum pubsub_status status = make_room(stream, len);
  if (status == PUBSUB_OK) status = pubsub_builder_reserve_data(stream->inlet.builder, len, out);
  if (status == PUBSUB_E_LIMIT) {
    status = pubsub_stream_seal(stream);
    if (status == PUBSUB_OK) status = pubsub_builder_reserve_data(stream->inlet.builder, len, out);
  }
  stream->reserved = status == PUBSUB_OK;
  return status;
}

static void on_properties(void *user, const struct pubsub_subscription_properties *properties) {
  struct pubsub_stream *stream = user;
  stream->inlet.told = *properties;
}

static const struct pubsub_pull_sink sink = {
    .on_message = on_message, .reserve_data = reserve_data, .on_properties = on_properties};

/* ---- the stream itself ---- */

static void on_bytes(void *user, size_t bytes) {
  struct pubsub_stream *stream = user;
  stream->intake->on_bytes(stream->intake->user, stream, bytes);
}

static void on_response(void *user) {
  struct pubsub_stream *stream = user;
  pubsub_inlet_told(&stream->inlet);
}

static void on_state(void *user, enum pubsub_pull_state state) {
  struct pubsub_stream *stream = user;
  if (state == PUBSUB_PULL_OPENING) {
    stream->window_owed = 0; /* a new stream has a new window */
    forget_cut(stream);
    stream->inlet.told = (struct pubsub_subscription_properties){0};
  }
  if (state == PUBSUB_PULL_FAILED) pubsub_inlet_publish_pending(&stream->inlet, false);
  stream->intake->on_state(stream->intake->user, stream);
}

static bool on_limits(void *user, struct pubsub_pull_limits *out) {
  struct pubsub_stream *stream = user;
  return stream->intake->on_limits(stream->intake->user, stream, out);
}

static const struct pubsub_pull_handler pull_handler = {&sink, on_bytes, on_response, on_state,
                                                        on_limits};

enum pubsub_status pubsub_stream_new(struct pubsub_intake *intake, struct pubsub_epoch *epoch,
                                     const struct pubsub_pull_options *options) {
  struct pubsub_stream *stream = pubsub_alloc_zero(1, sizeof *stream);
  if (!stream) return PUBSUB_E_NOMEM;
  stream->intake = intake;
  stream->linger.run = on_linger;
  stream->receiving = true;
  enum pubsub_status status =
      pubsub_inlet_init(&stream->inlet, intake->sealer, epoch, intake->columns);
  if (status == PUBSUB_OK) {
    status = pubsub_pull_init(&stream->pull, intake->channel, options, &pull_handler, stream);
  }
  if (status != PUBSUB_OK) {
    pubsub_inlet_clear(&stream->inlet);
    pubsub_free(stream);
    return status;
  }
  epoch->inlet = &stream->inlet;
  return PUBSUB_OK;
}

void pubsub_stream_repay(struct pubsub_stream *stream) {
  PUBSUB_ON_LOOP(stream->intake->loop);
  size_t owed = stream->window_owed;
  stream->window_owed = 0;
  if (owed > 0) pubsub_pull_consume(&stream->pull, owed);
}

void pubsub_stream_end(struct pubsub_stream *stream) {
  PUBSUB_ON_LOOP(stream->intake->loop);
  if (!stream->receiving) return;
  stream->receiving = false;
  pubsub_pull_stop(&stream->pull);
  pubsub_stream_rested(stream);
  if (pubsub_stream_seal(stream) != PUBSUB_OK) pubsub_inlet_drop_rows(&stream->inlet);
  pubsub_loop_timer_cancel(stream->intake->loop, &stream->linger);
  pubsub_inlet_publish_pending(&stream->inlet, false);
}

void pubsub_stream_free(struct pubsub_stream *stream) {
  if (!stream) return;
  PUBSUB_ON_LOOP(stream->intake->loop);
  stream->inlet.epoch->inlet = NULL;
  pubsub_loop_timer_cancel(stream->intake->loop, &stream->linger);
  pubsub_pull_clear(&stream->pull);
  pubsub_builder_destroy(stream->away);
  pubsub_inlet_clear(&stream->inlet);
  pubsub_free(stream);
}
