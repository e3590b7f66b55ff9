#include "base/map.h"

#include "base/alloc.h"
#include "base/rng.h"

static uint64_t mix(uint64_t a, uint64_t b) {
  __uint128_t product = (__uint128_t)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* A folded-multiply hash: fast on short keys, keyed by the map's seed. */
uint64_t pubsub_map_hash(uint64_t seed, struct pubsub_view key) {
  uint64_t hash = seed ^ (key.len * 0x9e3779b97f4a7c15u);
  const uint8_t *ptr = key.ptr;
  size_t len = key.len;
  uint64_t word;
  for (; len >= 8; ptr += 8, len -= 8) {
    memcpy(&word, ptr, 8);
    hash = mix(hash ^ word, 0xa0761d6478bd642fu ^ seed);
  }
  word = 0;
  if (len > 0) memcpy(&word, ptr, len);
  return mix(hash ^ word, 0xe7037ed1a0b428dbu);
}

void pubsub_map_init(struct pubsub_map *map) {
  struct pubsub_rng rng;
  pubsub_rng_seed_random(&rng);
  *map = (struct pubsub_map){.seed = pubsub_rng_next(&rng) | 1};
}

void pubsub_map_clear(struct pubsub_map *map) {
  pubsub_free(map->slots);
  map->slots = NULL;
  map->slot_count = map->count = 0;
}

struct pubsub_map_entry *pubsub_map_find(const struct pubsub_map *map, struct pubsub_view key) {
  if (map->count == 0) return NULL;
  uint64_t hash = pubsub_map_hash(map->seed, key);
  struct pubsub_map_entry *entry = map->slots[hash & (map->slot_count - 1)];
  while (entry && !(entry->hash == hash && pubsub_view_equal(entry->key, key)))
    entry = entry->next;
  return entry;
}

static enum pubsub_status grow(struct pubsub_map *map) {
  size_t slot_count = map->slot_count ? map->slot_count * 2 : 16;
  struct pubsub_map_entry **slots = pubsub_alloc_zero(slot_count, sizeof *slots);
  if (!slots) return PUBSUB_E_NOMEM;
  for (size_t i = 0; i < map->slot_count; i++) {
    struct pubsub_map_entry *entry = map->slots[i], *next;
    for (; entry; entry = next) {
      next = entry->next;
      struct pubsub_map_entry **slot = &slots[entry->hash & (slot_count - 1)];
      entry->next = *slot;
      *slot = entry;
    }
  }
  pubsub_free(map->slots);
  map->slots = slots;
  map->slot_count = slot_count;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_map_insert(struct pubsub_map *map, struct pubsub_map_entry *entry,
                                     struct pubsub_view key) {
  /* A full table that cannot grow still works, with longer chains. */
  if (map->count >= map->slot_count && grow(map) != PUBSUB_OK && map->slot_count == 0) {
    return PUBSUB_E_NOMEM;
  }
  entry->key = key;
  entry->hash = pubsub_map_hash(map->seed, key);
  struct pubsub_map_entry **slot = &map->slots[entry->hash & (map->slot_count - 1)];
  entry->next = *slot;
  *slot = entry;
  map->count++;
  return PUBSUB_OK;
}

void pubsub_map_remove(struct pubsub_map *map, struct pubsub_map_entry *entry) {
  struct pubsub_map_entry **link = &map->slots[entry->hash & (map->slot_count - 1)];
  while (*link && *link != entry)
    link = &(*link)->next;
  if (!*link) return;
  *link = entry->next;
  entry->next = NULL;
  map->count--;
}

struct pubsub_map_entry *pubsub_map_next(const struct pubsub_map *map, struct pubsub_map_iter *it) {
  struct pubsub_map_entry *entry = it->next;
  while (!entry && it->slot < map->slot_count)
    entry = map->slots[it->slot++];
  it->started = true;
  it->next = entry ? entry->next : NULL;
  return entry;
}
