#include "sub/held_index.h"

#include "base/rng.h"

#define FIRST_CAP 1024

uint64_t pubsub_message_number(struct pubsub_view message_id) {
  uint64_t number = 0;
  if (message_id.len == 0 || message_id.len > 19 || message_id.ptr[0] == '0') return 0;
  for (size_t i = 0; i < message_id.len; i++) {
    if (message_id.ptr[i] < '0' || message_id.ptr[i] > '9') return 0;
    number = number * 10 + (uint64_t)(message_id.ptr[i] - '0');
  }
  return number;
}

static size_t home_of(const struct pubsub_held_index *index, uint64_t number) {
  __uint128_t product =
      (__uint128_t)(number ^ index->seed) * (UINT64_C(0x9e3779b97f4a7c15) ^ index->seed << 1);
  return (size_t)((uint64_t)product ^ (uint64_t)(product >> 64)) & (index->cap - 1);
}

/* Where the number is, or the free place where it would be. */
static struct pubsub_held_place *place_of(const struct pubsub_held_index *index, uint64_t number) {
  size_t i = home_of(index, number);
  while (index->places[i].number != 0 && index->places[i].number != number)
    i = (i + 1) & (index->cap - 1);
  return &index->places[i];
}

static enum pubsub_status grow(struct pubsub_held_index *index) {
  if (index->seed == 0) {
    struct pubsub_rng rng;
    pubsub_rng_seed_random(&rng);
    index->seed = pubsub_rng_next(&rng) | 1;
  }
  struct pubsub_held_index bigger = {.blocks = index->blocks,
                                     .cap = index->cap ? index->cap * 2 : FIRST_CAP,
                                     .count = index->count,
                                     .seed = index->seed};
  uint8_t *block =
      pubsub_blocks_get(index->blocks, bigger.cap * sizeof *bigger.places, &bigger.block_bytes);
  if (!block) return PUBSUB_E_NOMEM;
  memset(block, 0, bigger.cap * sizeof *bigger.places);
  bigger.places = (struct pubsub_held_place *)(void *)block;
  for (size_t i = 0; i < index->cap; i++) {
    if (index->places[i].number != 0) {
      *place_of(&bigger, index->places[i].number) = index->places[i];
    }
  }
  pubsub_blocks_put(index->blocks, (uint8_t *)index->places, index->block_bytes);
  *index = bigger;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_held_index_set(struct pubsub_held_index *index, uint64_t number,
                                         struct pubsub_held *held, uint32_t row) {
  if (index->count >= index->cap / 4 * 3 && grow(index) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  struct pubsub_held_place *place = place_of(index, number);
  if (place->number == 0) index->count++;
  *place = (struct pubsub_held_place){number, held, row};
  return PUBSUB_OK;
}

const struct pubsub_held_place *pubsub_held_index_find(const struct pubsub_held_index *index,
                                                       uint64_t number) {
  if (index->count == 0) return NULL;
  const struct pubsub_held_place *place = place_of(index, number);
  return place->number != 0 ? place : NULL;
}

void pubsub_held_index_remove(struct pubsub_held_index *index, uint64_t number,
                              const struct pubsub_held *held) {
  if (index->count == 0 || number == 0) return;
  struct pubsub_held_place *place = place_of(index, number);
  if (place->number == 0 || place->held != held) return;
  size_t mask = index->cap - 1, hole = (size_t)(place - index->places), i = hole;
  /* Moves back what stands behind the hole and would not be found any more (Knuth, 6.4, algorithm
   * R). */
  for (;;) {
    i = (i + 1) & mask;
    if (index->places[i].number == 0) break;
    size_t home = home_of(index, index->places[i].number);
    if (((i - home) & mask) < ((i - hole) & mask)) continue;
    index->places[hole] = index->places[i];
    hole = i;
  }
  index->places[hole] = (struct pubsub_held_place){0};
  if (--index->count == 0) pubsub_held_index_clear(index);
}

void pubsub_held_index_clear(struct pubsub_held_index *index) {
  pubsub_blocks_put(index->blocks, (uint8_t *)index->places, index->block_bytes);
  *index = (struct pubsub_held_index){.blocks = index->blocks, .seed = index->seed};
}
