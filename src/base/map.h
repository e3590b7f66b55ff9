/*
 * Intrusive hash map from bytes to entries: the caller embeds struct pubsub_map_entry, so an insert
 * allocates only when the table grows. Keys are borrowed: they live in the caller's struct.
 * Keyed hashing (random seed per map), so that peers cannot choose collisions.
 */
#ifndef PUBSUB_BASE_MAP_H
#define PUBSUB_BASE_MAP_H

#include "base/bytes.h"
#include "base/container.h"

struct pubsub_map_entry {
  struct pubsub_map_entry *next;
  struct pubsub_view key; /* stable while the entry is in the map */
  uint64_t hash;
};
struct pubsub_map {
  struct pubsub_map_entry **slots;
  size_t slot_count, count; /* slot_count: power of two or 0 */
  uint64_t seed;
};

void pubsub_map_init(struct pubsub_map *map);
/* The hash of a key; nobody who does not know the seed can choose keys that share one. */
uint64_t pubsub_map_hash(uint64_t seed, struct pubsub_view key);
void pubsub_map_clear(struct pubsub_map *map); /* frees the table, not the entries */
struct pubsub_map_entry *pubsub_map_find(const struct pubsub_map *map, struct pubsub_view key);
/* Sets entry->key; the key must not be present. Errors: NOMEM (entry not inserted). */
enum pubsub_status pubsub_map_insert(struct pubsub_map *map, struct pubsub_map_entry *entry,
                                     struct pubsub_view key);
void pubsub_map_remove(struct pubsub_map *map, struct pubsub_map_entry *entry);
/* Iteration in no order; the entry returned may be removed before the next call. Start with
 * NULL cursor state zeroed: struct pubsub_map_iter it = {0}; while ((e = pubsub_map_next(map,
 * &it))) … */
struct pubsub_map_iter {
  size_t slot;
  struct pubsub_map_entry *next;
  bool started;
};
struct pubsub_map_entry *pubsub_map_next(const struct pubsub_map *map, struct pubsub_map_iter *it);

#endif
