#include "sub/held.h"

#include "base/alloc.h"

struct pubsub_held *pubsub_held_new(struct pubsub_epoch *epoch) {
  struct pubsub_held *held = pubsub_alloc_zero(1, sizeof *held);
  if (!held) return NULL;
  held->epoch = epoch;
  pubsub_list_init(&held->pending_link);
  pubsub_pass_init(&held->settling);
  pubsub_pass_init(&held->extending);
  return held;
}

void pubsub_held_free(struct pubsub_held *held, struct pubsub_pool *pool) {
  if (!held) return;
  pubsub_chunk_unref(held->chunk);
  pubsub_ack_ids_clear(&held->ack_ids);
  pubsub_pass_end(&held->settling);
  pubsub_pass_end(&held->extending);
  pubsub_pool_put(pool, (uint8_t *)held->numbers, held->numbers_bytes);
  pubsub_free(held->drop);
  pubsub_free(held);
}

enum pubsub_status pubsub_held_add_number(struct pubsub_held *held, struct pubsub_pool *pool,
                                          uint64_t number) {
  size_t used = held->number_count * sizeof number;
  if (used == held->numbers_bytes) {
    size_t capacity;
    uint8_t *block = pubsub_pool_get(pool, used ? used * 2 : 4096, &capacity);
    if (!block) return PUBSUB_E_NOMEM;
    if (used > 0) memcpy(block, held->numbers, used);
    pubsub_pool_put(pool, (uint8_t *)held->numbers, held->numbers_bytes);
    held->numbers = (uint64_t *)(void *)block;
    held->numbers_bytes = capacity;
  }
  held->numbers[held->number_count++] = number;
  return PUBSUB_OK;
}

void pubsub_held_drop_row(struct pubsub_held *held, uint32_t row) {
  if (!held->drop && !held->drop_all) held->drop = pubsub_alloc_zero(held->rows, 1);
  if (held->drop) {
    held->drop[row] = 1;
  } else {
    held->drop_all = true;
  }
}
