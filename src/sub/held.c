#include "sub/held.h"

#include "base/alloc.h"

struct pubsub_held *pubsub_held_new(struct pubsub_epoch *epoch) {
  struct pubsub_held *held = pubsub_alloc_zero(1, sizeof *held);
  if (!held) return NULL;
  held->epoch = epoch;
  atomic_init(&held->stage, PUBSUB_HELD_BUILDING);
  pubsub_list_init(&held->shared.alone_link);
  pubsub_list_init(&held->loop.pending_link);
  pubsub_pass_init(&held->loop.settling);
  pubsub_pass_init(&held->loop.extending);
  return held;
}

void pubsub_held_free(struct pubsub_held *held, struct pubsub_blocks *blocks) {
  if (!held) return;
  pubsub_chunk_unref(held->shared.chunk);
  pubsub_ack_ids_clear(&held->loop.ack_ids);
  pubsub_pass_end(&held->loop.settling);
  pubsub_pass_end(&held->loop.extending);
  pubsub_blocks_put(blocks, (uint8_t *)held->loop.numbers, held->loop.numbers_bytes);
  pubsub_free(held->loop.drop);
  pubsub_free(held);
}

/* ---- the steps ---- */

static bool step(struct pubsub_held *held, enum pubsub_held_stage from, enum pubsub_held_stage to) {
  if (pubsub_held_stage(held) != from) return false;
  atomic_store_explicit(&held->stage, to, memory_order_relaxed);
  return true;
}

static void take_rows(struct pubsub_held *held, struct pubsub_chunk *take_chunk,
                      const struct pubsub_ack_ids *take_ack_ids) {
  struct pubsub_chunk_view view;
  pubsub_chunk_view(take_chunk, &view);
  held->rows = (uint32_t)view.rows;
  held->bytes = view.bytes;
  held->oldest_publish_us = view.oldest_publish_us;
  held->shared.chunk = take_chunk;
  held->loop.ack_ids = *take_ack_ids;
}

bool pubsub_held_seal(struct pubsub_held *held, struct pubsub_chunk *take_chunk,
                      const struct pubsub_ack_ids *take_ack_ids, int64_t receive_wall_us) {
  if (!step(held, PUBSUB_HELD_BUILDING, PUBSUB_HELD_PENDING)) return false;
  take_rows(held, take_chunk, take_ack_ids);
  held->receive_wall_us = receive_wall_us;
  return true;
}

bool pubsub_held_turn_away(struct pubsub_held *held, const struct pubsub_ack_ids *take_ack_ids) {
  if (!step(held, PUBSUB_HELD_BUILDING, PUBSUB_HELD_SETTLING)) return false;
  held->loop.ack_ids = *take_ack_ids;
  held->rows = take_ack_ids->count;
  held->shared.nack = held->loose = true;
  return true;
}

bool pubsub_held_await_receipt(struct pubsub_held *held) {
  return step(held, PUBSUB_HELD_PENDING, PUBSUB_HELD_AWAITS_RECEIPT);
}

bool pubsub_held_receipt_over(struct pubsub_held *held) {
  return step(held, PUBSUB_HELD_AWAITS_RECEIPT, PUBSUB_HELD_PENDING);
}

bool pubsub_held_publish(struct pubsub_held *held) {
  return step(held, PUBSUB_HELD_PENDING, PUBSUB_HELD_READABLE) ||
         step(held, PUBSUB_HELD_AWAITS_RECEIPT, PUBSUB_HELD_READABLE);
}

bool pubsub_held_ask(struct pubsub_held *held, bool nack, uint64_t now_us) {
  if (!step(held, PUBSUB_HELD_READABLE, PUBSUB_HELD_ASKED)) return false;
  held->shared.nack = nack;
  held->shared.asked_us = now_us;
  pubsub_chunk_unref(held->shared.chunk);
  held->shared.chunk = NULL;
  return true;
}

bool pubsub_held_begin(struct pubsub_held *held) {
  return step(held, PUBSUB_HELD_ASKED, PUBSUB_HELD_SETTLING);
}

bool pubsub_held_finish(struct pubsub_held *held) {
  return step(held, PUBSUB_HELD_SETTLING, PUBSUB_HELD_DONE);
}

/* ---- rows ---- */

void pubsub_held_replace(struct pubsub_held *held, struct pubsub_chunk *take_chunk,
                         const struct pubsub_ack_ids *take_ack_ids) {
  pubsub_chunk_unref(held->shared.chunk);
  pubsub_ack_ids_clear(&held->loop.ack_ids);
  take_rows(held, take_chunk, take_ack_ids);
  pubsub_free(held->loop.drop);
  held->loop.drop = NULL;
}

enum pubsub_status pubsub_held_add_number(struct pubsub_held *held, struct pubsub_blocks *blocks,
                                          uint64_t number) {
  size_t used = held->loop.number_count * sizeof number;
  if (used == held->loop.numbers_bytes) {
    size_t capacity;
    uint8_t *block = pubsub_blocks_get(blocks, used ? used * 2 : 4096, &capacity);
    if (!block) return PUBSUB_E_NOMEM;
    if (used > 0) memcpy(block, held->loop.numbers, used);
    pubsub_blocks_put(blocks, (uint8_t *)held->loop.numbers, held->loop.numbers_bytes);
    held->loop.numbers = (uint64_t *)(void *)block;
    held->loop.numbers_bytes = capacity;
  }
  held->loop.numbers[held->loop.number_count++] = number;
  return PUBSUB_OK;
}

void pubsub_held_drop_row(struct pubsub_held *held, uint32_t row) {
  if (!held->loop.drop && !held->loop.drop_all) held->loop.drop = pubsub_alloc_zero(held->rows, 1);
  if (held->loop.drop) {
    held->loop.drop[row] = 1;
  } else {
    held->loop.drop_all = true;
  }
}
