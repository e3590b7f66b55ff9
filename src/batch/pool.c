#include "batch/pool.h"

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

struct pubsub_pool {
  atomic_uint refs;
  uint64_t budget_bytes;
  pthread_mutex_t mutex; /* everything below */
  struct free_block *free[CLASSES];
  uint64_t used_bytes, kept_bytes, peak_bytes;
};

enum pubsub_status pubsub_pool_new(uint64_t budget_bytes, struct pubsub_pool **out) {
  struct pubsub_pool *pool = pubsub_alloc_zero(1, sizeof *pool);
  if (!pool) return PUBSUB_E_NOMEM;
  atomic_init(&pool->refs, 1);
  pool->budget_bytes = budget_bytes;
  pthread_mutex_init(&pool->mutex, NULL);
  *out = pool;
  return PUBSUB_OK;
}

struct pubsub_pool *pubsub_pool_ref(struct pubsub_pool *pool) {
  atomic_fetch_add_explicit(&pool->refs, 1, memory_order_relaxed);
  return pool;
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
static void trim(struct pubsub_pool *pool, uint64_t bytes) {
  for (int class = CLASSES - 1; class >= 0; class --) {
    while (pool->free[class] && pool->used_bytes + pool->kept_bytes + bytes > pool->budget_bytes) {
      struct free_block *block = pool->free[class];
      pool->free[class] = block->next;
      size_t size = size_of(class);
      pool->kept_bytes -= size;
      pubsub_free_bulk(block, size);
    }
  }
}

void pubsub_pool_unref(struct pubsub_pool *pool) {
  if (!pool || atomic_fetch_sub_explicit(&pool->refs, 1, memory_order_acq_rel) != 1) return;
  pool->budget_bytes = 0;
  trim(pool, 1);
  pthread_mutex_destroy(&pool->mutex);
  pubsub_free(pool);
}

uint8_t *pubsub_pool_get(struct pubsub_pool *pool, size_t bytes, size_t *out_capacity) {
  int class = class_of(bytes);
  if (class == CLASSES) return NULL;
  size_t size = size_of(class);
  pthread_mutex_lock(&pool->mutex);
  uint8_t *block = (uint8_t *)pool->free[class];
  if (block) {
    pool->free[class] = pool->free[class]->next;
    pool->kept_bytes -= size;
  } else {
    trim(pool, size);
  }
  pool->used_bytes += size;
  if (pool->used_bytes + pool->kept_bytes > pool->peak_bytes) {
    pool->peak_bytes = pool->used_bytes + pool->kept_bytes;
  }
  pthread_mutex_unlock(&pool->mutex);
  if (!block && !(block = pubsub_alloc_bulk(size))) {
    pthread_mutex_lock(&pool->mutex);
    pool->used_bytes -= size;
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
  }
  *out_capacity = size;
  return block;
}

void pubsub_pool_put(struct pubsub_pool *pool, uint8_t *block, size_t capacity) {
  if (!block) return;
  int class = class_of(capacity);
  pthread_mutex_lock(&pool->mutex);
  pool->used_bytes -= capacity;
  bool keep = pool->used_bytes + pool->kept_bytes + capacity <= pool->budget_bytes;
  if (keep) {
    struct free_block *free_block = (struct free_block *)(void *)block;
    free_block->next = pool->free[class];
    pool->free[class] = free_block;
    pool->kept_bytes += capacity;
  }
  pthread_mutex_unlock(&pool->mutex);
  if (!keep) pubsub_free_bulk(block, capacity);
}

uint64_t pubsub_pool_used_bytes(struct pubsub_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  uint64_t bytes = pool->used_bytes;
  pthread_mutex_unlock(&pool->mutex);
  return bytes;
}

uint64_t pubsub_pool_held_bytes(struct pubsub_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  uint64_t bytes = pool->used_bytes + pool->kept_bytes;
  pthread_mutex_unlock(&pool->mutex);
  return bytes;
}

uint64_t pubsub_pool_peak_bytes(struct pubsub_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  uint64_t bytes = pool->peak_bytes;
  pthread_mutex_unlock(&pool->mutex);
  return bytes;
}
