#include "model/dues.h"

#include "base/alloc.h"

#define QUANTUM_SHIFT 14

struct dues_bucket {
  struct pubsub_heap_node node; /* due: the end of its quantum */
  struct pubsub_map_entry entry;
  uint64_t quantum; /* its key */
  struct pubsub_list members;
};

static struct pubsub_view key_of(const uint64_t *quantum) {
  return pubsub_view_of(quantum, sizeof *quantum);
}

static struct dues_bucket *bucket_new(struct dues *dues, uint64_t quantum) {
  struct dues_bucket *bucket = pubsub_alloc_zero(1, sizeof *bucket);
  if (!bucket) return NULL;
  bucket->quantum = quantum;
  pubsub_list_init(&bucket->members);
  if (pubsub_map_insert(&dues->buckets, &bucket->entry, key_of(&bucket->quantum)) != PUBSUB_OK) {
    pubsub_free(bucket);
    return NULL;
  }
  pubsub_heap_set(&dues->heap, &bucket->node, quantum << QUANTUM_SHIFT);
  return bucket;
}

static void bucket_free(struct dues *dues, struct dues_bucket *bucket) {
  if (dues->last == bucket) dues->last = NULL;
  pubsub_heap_remove(&dues->heap, &bucket->node);
  pubsub_map_remove(&dues->buckets, &bucket->entry);
  pubsub_free(bucket);
}

static struct dues_bucket *bucket_of(struct dues *dues, uint64_t quantum) {
  if (dues->last && dues->last->quantum == quantum) return dues->last;
  struct pubsub_map_entry *entry = pubsub_map_find(&dues->buckets, key_of(&quantum));
  dues->last =
      entry ? PUBSUB_CONTAINER_OF(entry, struct dues_bucket, entry) : bucket_new(dues, quantum);
  return dues->last;
}

bool dues_set(struct dues *dues, struct due *due, uint64_t due_us) {
  pubsub_list_remove(&due->link);
  struct dues_bucket *bucket = bucket_of(dues, (due_us >> QUANTUM_SHIFT) + 1);
  if (!bucket) return false;
  pubsub_list_push_back(&bucket->members, &due->link);
  return true;
}

void dues_remove(struct due *due) {
  pubsub_list_remove(&due->link);
}

static struct dues_bucket *first_of(const struct dues *dues) {
  struct pubsub_heap_node *top = pubsub_heap_top(&dues->heap);
  return top ? PUBSUB_CONTAINER_OF(top, struct dues_bucket, node) : NULL;
}

uint64_t dues_first_us(const struct dues *dues) {
  const struct dues_bucket *first = first_of(dues);
  return first ? first->node.due : UINT64_MAX;
}

struct due *dues_next(struct dues *dues, uint64_t now_us) {
  struct dues_bucket *first;
  while ((first = first_of(dues)) && first->node.due <= now_us) {
    if (!pubsub_list_empty(&first->members)) {
      return PUBSUB_CONTAINER_OF(first->members.next, struct due, link);
    }
    bucket_free(dues, first);
  }
  return NULL;
}

void dues_clear(struct dues *dues) {
  struct dues_bucket *first;
  while ((first = first_of(dues)))
    bucket_free(dues, first);
  pubsub_heap_clear(&dues->heap);
  pubsub_map_clear(&dues->buckets);
}
