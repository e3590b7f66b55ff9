#include "batch/blocks.h"

#include "base/alloc.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define SMALLEST_SHIFT 9 /* 512 B: chunks of a few rows are common where many slots get little */
#define STEPS 4          /* sizes between two powers of two: a fifth of a block is unused at most */
#define CLASSES (33 * STEPS)

struct free_block {
  struct free_block *next;
};

struct pubsub_blocks {
  atomic_uint refs;
  uint64_t budget_bytes;
  pthread_mutex_t mutex; /* everything below */
  struct free_block *free[CLASSES];
  atomic_uint_fast64_t used_bytes; /* also read without */
  uint64_t kept_bytes, peak_bytes;
};

enum pubsub_status pubsub_blocks_new(uint64_t budget_bytes, struct pubsub_blocks **out) {
  struct pubsub_blocks *blocks = pubsub_alloc_zero(1, sizeof *blocks);
  if (!blocks) return PUBSUB_E_NOMEM;
  atomic_init(&blocks->refs, 1);
  blocks->budget_bytes = budget_bytes;
  pthread_mutex_init(&blocks->mutex, NULL);
  *out = blocks;
  return PUBSUB_OK;
}

struct pubsub_blocks *pubsub_blocks_ref(struct pubsub_blocks *blocks) {
  atomic_fetch_add_explicit(&blocks->refs, 1, memory_order_relaxed);
  return blocks;
}

static size_t size_of(int class) {
  size_t power = (size_t)1 << (SMALLEST_SHIFT + class / STEPS);
  return power + power / STEPS * (size_t)(class % STEPS);
}

/* The smallest class with room for so many bytes; CLASSES: none has. */
static int class_of(size_t bytes) {
  if (bytes <= (size_t)1 << SMALLEST_SHIFT) return 0;
  if (bytes > (size_t)1 << (SMALLEST_SHIFT + 32)) return CLASSES;
  int power = 63 - __builtin_clzll(bytes - 1) - SMALLEST_SHIFT;
  size_t step = (size_t)1 << (SMALLEST_SHIFT + power - 2);
  return power * STEPS + (int)((bytes - 1 - ((size_t)1 << (SMALLEST_SHIFT + power))) / step) + 1;
}

/* Under the mutex: gives kept blocks back to the system until `bytes` more fit into the budget. */
static void trim(struct pubsub_blocks *blocks, uint64_t bytes) {
  for (int class = CLASSES - 1; class >= 0; class --) {
    while (blocks->free[class] &&
           blocks->used_bytes + blocks->kept_bytes + bytes > blocks->budget_bytes) {
      struct free_block *block = blocks->free[class];
      blocks->free[class] = block->next;
      size_t size = size_of(class);
      blocks->kept_bytes -= size;
      pubsub_free_bulk(block, size);
    }
  }
}

void pubsub_blocks_unref(struct pubsub_blocks *blocks) {
  if (!blocks || atomic_fetch_sub_explicit(&blocks->refs, 1, memory_order_acq_rel) != 1) return;
  blocks->budget_bytes = 0;
  trim(blocks, 1);
  pthread_mutex_destroy(&blocks->mutex);
  pubsub_free(blocks);
}

/* Under the mutex: memory that was touched costs a tenth of fresh memory, so that a free block of
 * less than twice the size is better than a new one; not where memory is short, for its rest is
 * lost. */
static int warm_class(const struct pubsub_blocks *blocks, int class) {
  int steps = blocks->used_bytes < blocks->budget_bytes / 4 ? STEPS : 1;
  for (int bigger = class; bigger < class + steps && bigger < CLASSES; bigger++)
    if (blocks->free[bigger]) return bigger;
  return class;
}

uint8_t *pubsub_blocks_get(struct pubsub_blocks *blocks, size_t bytes, size_t *out_capacity) {
  int class = class_of(bytes);
  if (class == CLASSES) return NULL;
  pthread_mutex_lock(&blocks->mutex);
  class = warm_class(blocks, class);
  size_t size = size_of(class);
  uint8_t *block = (uint8_t *)blocks->free[class];
  if (block) {
    blocks->free[class] = blocks->free[class]->next;
    blocks->kept_bytes -= size;
  } else {
    trim(blocks, size);
  }
  blocks->used_bytes += size;
  if (blocks->used_bytes + blocks->kept_bytes > blocks->peak_bytes) {
    blocks->peak_bytes = blocks->used_bytes + blocks->kept_bytes;
  }
  pthread_mutex_unlock(&blocks->mutex);
  if (!block && !(block = pubsub_alloc_bulk(size))) {
    pthread_mutex_lock(&blocks->mutex);
    blocks->used_bytes -= size;
    pthread_mutex_unlock(&blocks->mutex);
    return NULL;
  }
  *out_capacity = size;
  return block;
}

void pubsub_blocks_put(struct pubsub_blocks *blocks, uint8_t *block, size_t capacity) {
  if (!block) return;
  int class = class_of(capacity);
  pthread_mutex_lock(&blocks->mutex);
  blocks->used_bytes -= capacity;
  bool keep = blocks->used_bytes + blocks->kept_bytes + capacity <= blocks->budget_bytes;
  if (keep) {
    struct free_block *free_block = (struct free_block *)(void *)block;
    free_block->next = blocks->free[class];
    blocks->free[class] = free_block;
    blocks->kept_bytes += capacity;
  }
  pthread_mutex_unlock(&blocks->mutex);
  if (!keep) pubsub_free_bulk(block, capacity);
}

uint64_t pubsub_blocks_used_bytes(struct pubsub_blocks *blocks) {
  return atomic_load_explicit(&blocks->used_bytes, memory_order_relaxed);
}

uint64_t pubsub_blocks_peak_bytes(struct pubsub_blocks *blocks) {
  pthread_mutex_lock(&blocks->mutex);
  uint64_t bytes = blocks->peak_bytes;
  pthread_mutex_unlock(&blocks->mutex);
  return bytes;
}
