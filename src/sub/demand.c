#include "sub/demand.h"

#define TURN_US UINT64_C(300000000) /* a large message is remembered for one or two of these */
#define ENOUGH_ROWS 200
#define ENOUGH_US 1000000
#define FEW_ROWS 10
#define SUM_ROWS 200000
#define SMALLEST_LARGEST ((uint64_t)64 * 1024)
/* Of a message of which nothing is known; what its fixed part takes: ids, offsets, the ack id. */
#define USUAL_WIRE_BYTES 1000
#define USUAL_ROOM_BYTES 1650
#define SAME_BATCH_US 100000
#define BATCHES_AHEAD 3
#define REOPEN_US 2000000 /* a stream is not ended for more room before it was open for so long */

static uint64_t smaller(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b) {
  return a > b ? a : b;
}

/* a * b / c, without overflow. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c) {
  __uint128_t out = (__uint128_t)a * b / (c ? c : 1);
  return out > UINT64_MAX ? UINT64_MAX : (uint64_t)out;
}

/* ---- sizes ---- */

void pubsub_demand_message(struct pubsub_demand_sizes *sizes, uint64_t wire_bytes, uint32_t rows,
                           uint64_t now_us) {
  if (sizes->seen_rows == 0) sizes->first_us = sizes->turned_us = now_us;
  sizes->seen_rows += rows;
  if (now_us - sizes->turned_us >= TURN_US) {
    sizes->turned_us = now_us;
    sizes->largest[1] = sizes->largest[0];
    sizes->largest[0] = 0;
  }
  if (wire_bytes > sizes->largest[0]) sizes->largest[0] = wire_bytes;
}

void pubsub_demand_chunk(struct pubsub_demand_sizes *sizes, uint32_t rows, uint64_t wire_bytes,
                         uint64_t room_bytes) {
  sizes->rows += rows;
  sizes->wire_bytes += wire_bytes;
  sizes->room_bytes += room_bytes;
  if (sizes->rows < SUM_ROWS) return;
  sizes->rows /= 2;
  sizes->wire_bytes /= 2;
  sizes->room_bytes /= 2;
}

uint64_t pubsub_demand_largest(const struct pubsub_demand_sizes *sizes, uint64_t now_us) {
  uint64_t seen = larger(sizes->largest[0], sizes->largest[1]);
  bool known = sizes->seen_rows >= ENOUGH_ROWS ||
               (sizes->seen_rows >= FEW_ROWS && now_us - sizes->first_us >= ENOUGH_US);
  if (!known) return PUBSUB_DEMAND_LARGEST_MESSAGE;
  return smaller(larger(2 * seen, SMALLEST_LARGEST), PUBSUB_DEMAND_LARGEST_MESSAGE);
}

/* ---- pace ---- */

void pubsub_demand_eaten(struct pubsub_demand_pace *pace, uint64_t oldest_us, uint64_t held_rows,
                         uint64_t max_extension_us, uint64_t now_us) {
  uint64_t gap_us = now_us - pace->last_us;
  bool first = pace->last_us == 0;
  if (!first && gap_us < SAME_BATCH_US) return;
  pace->last_us = now_us;
  if (!first) pace->batch_us = pace->batch_us ? (pace->batch_us * 3 + gap_us) / 4 : gap_us;
  if (oldest_us > max_extension_us / 2) {
    uint64_t reach = larger(scale(held_rows, max_extension_us / 2, oldest_us), 1);
    pace->reach_rows = pace->reach_rows ? smaller(pace->reach_rows, reach) : reach;
  } else if (pace->reach_rows > 0 && oldest_us < max_extension_us / 4) {
    pace->reach_rows += pace->reach_rows / 2 + 1;
  }
}

/* ---- the plan ---- */

/* Batches that can be held ahead and still be settled before their leases end: two intervals go by
 * in being read and committed. */
static uint64_t batches_ahead(const struct pubsub_demand_input *in) {
  uint64_t batch_us = in->pace->batch_us;
  if (batch_us == 0) return 2;
  uint64_t fit = in->max_extension_us / 5 * 4 / batch_us;
  return fit < 4 ? 1 : smaller(fit - 2, BATCHES_AHEAD);
}

static uint64_t eaten_rows(const struct pubsub_demand_input *in) {
  uint64_t rows = in->trigger_rows ? scale(in->trigger_rows, batches_ahead(in), 1) : UINT64_MAX;
  return in->pace->reach_rows ? smaller(rows, in->pace->reach_rows) : rows;
}

static uint64_t eaten_bytes(const struct pubsub_demand_input *in) {
  return in->trigger_bytes ? scale(in->trigger_bytes, batches_ahead(in), 1) : UINT64_MAX;
}

struct pubsub_demand pubsub_demand_plan(const struct pubsub_demand_input *in, uint64_t now_us) {
  const struct pubsub_demand_sizes *sizes = in->sizes;
  bool known = sizes->rows >= ENOUGH_ROWS;
  uint64_t sum_rows = known ? sizes->rows : 1;
  uint64_t wire = known ? larger(sizes->wire_bytes, 1) : USUAL_WIRE_BYTES;
  uint64_t room = known ? larger(sizes->room_bytes, 1) : USUAL_ROOM_BYTES;
  uint64_t usable = in->budget_bytes / 4 * 3, hard = in->budget_bytes / 16 * 15;
  uint64_t rows = smaller(scale(usable, sum_rows, room), eaten_rows(in));
  uint64_t bytes = smaller(scale(usable, wire, room), eaten_bytes(in));
  /* A stream may hold one message beyond its limit; blocks of large ones are a sixteenth larger. */
  uint64_t largest = pubsub_demand_largest(sizes, now_us);
  uint64_t active = hard / (largest + largest / 8);
  active = larger(smaller(smaller(active, in->slots), rows), 1);
  uint64_t most = hard / active - hard / active / 16;
  most = most > largest ? most - largest : 1;
  struct pubsub_demand plan = {.active = (uint32_t)active};
  plan.rows = larger(smaller(rows / active, in->max_rows), 1);
  plan.bytes = larger(smaller(smaller(bytes / active, most), in->max_bytes), 1);
  return plan;
}

/* ---- streams ---- */

static bool too_large(uint64_t limit, uint64_t planned) {
  return limit > planned && limit - planned > planned / 2;
}

static bool half(uint64_t limit, uint64_t planned) {
  return limit < planned / 2;
}

enum pubsub_demand_action pubsub_demand_review(const struct pubsub_demand_stream *stream,
                                               const struct pubsub_demand *plan, uint64_t now_us) {
  if (!stream->active) return PUBSUB_DEMAND_REST;
  if (now_us - stream->opened_us < REOPEN_US) return PUBSUB_DEMAND_KEEP;
  if (too_large(stream->rows, plan->rows) || too_large(stream->bytes, plan->bytes)) {
    return PUBSUB_DEMAND_REOPEN;
  }
  bool more = (stream->rows_bound && half(stream->rows, plan->rows)) ||
              (stream->bytes_bound && half(stream->bytes, plan->bytes));
  return more ? PUBSUB_DEMAND_REOPEN : PUBSUB_DEMAND_KEEP;
}

bool pubsub_demand_open(const struct pubsub_demand *plan, uint64_t held_rows, uint64_t held_bytes,
                        uint64_t *out_rows, uint64_t *out_bytes) {
  if (held_rows > plan->rows / 2 || held_bytes > plan->bytes / 2) return false;
  *out_rows = larger(plan->rows - held_rows, 1);
  *out_bytes = larger(plan->bytes - held_bytes, 1);
  return true;
}
