#include "pub/request_pool.h"

#include "base/alloc.h"
#include <pthread.h>

#define SMALLEST_BYTES 512u
/* Blocks of this size and up come from the bulk allocator. */
#define BULK_BYTES 65536u

/* Lies in a kept block itself. */
struct kept {
  struct kept *next;
};

struct pubsub_request_pool {
  pthread_mutex_t mutex;
  struct kept *kept; /* standard blocks; the last that came back first */
  size_t kept_count, max_kept;
  size_t lent; /* blocks that exist and are not kept */
  bool closed;
  size_t standard_bytes;
};

static uint8_t *block_new(size_t bytes) {
  return bytes >= BULK_BYTES ? pubsub_alloc_bulk(bytes) : pubsub_alloc(bytes);
}

static void block_free(void *block, size_t bytes) {
  if (bytes >= BULK_BYTES)
    pubsub_free_bulk(block, bytes);
  else
    pubsub_free(block);
}

enum pubsub_status pubsub_request_pool_new(size_t standard_bytes, size_t max_kept,
                                           struct pubsub_request_pool **out) {
  struct pubsub_request_pool *pool = pubsub_alloc_zero(1, sizeof *pool);
  if (!pool) return PUBSUB_E_NOMEM;
  pthread_mutex_init(&pool->mutex, NULL);
  pool->max_kept = max_kept;
  pool->standard_bytes = standard_bytes > SMALLEST_BYTES ? standard_bytes : SMALLEST_BYTES;
  *out = pool;
  return PUBSUB_OK;
}

static void pool_free(struct pubsub_request_pool *pool) {
  pthread_mutex_destroy(&pool->mutex);
  pubsub_free(pool);
}

static void *pop(struct pubsub_request_pool *pool) {
  struct kept *block = pool->kept;
  if (!block) return NULL;
  pool->kept = block->next;
  pool->kept_count--;
  return block;
}

void pubsub_request_pool_close(struct pubsub_request_pool *pool) {
  if (!pool) return;
  pthread_mutex_lock(&pool->mutex);
  pool->closed = true;
  for (void *block; (block = pop(pool));)
    block_free(block, pool->standard_bytes);
  bool last = pool->lent == 0;
  pthread_mutex_unlock(&pool->mutex);
  if (last) pool_free(pool);
}

/* Powers of two, the largest of them being the standard block; what is larger is as it is. */
static size_t cap_for(const struct pubsub_request_pool *pool, size_t bytes) {
  if (bytes > pool->standard_bytes) return bytes;
  size_t cap = SMALLEST_BYTES;
  while (cap < bytes)
    cap *= 2;
  return cap * 2 > pool->standard_bytes ? pool->standard_bytes : cap;
}

uint8_t *pubsub_request_pool_take(struct pubsub_request_pool *pool, size_t bytes, size_t *out_cap) {
  size_t cap = cap_for(pool, bytes);
  pthread_mutex_lock(&pool->mutex);
  uint8_t *block = cap == pool->standard_bytes ? pop(pool) : NULL;
  pool->lent++;
  pthread_mutex_unlock(&pool->mutex);
  if (!block && !(block = block_new(cap))) {
    pthread_mutex_lock(&pool->mutex);
    pool->lent--;
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
  }
  *out_cap = cap;
  return block;
}

void pubsub_request_pool_give(struct pubsub_request_pool *pool, uint8_t *take_block, size_t cap) {
  pthread_mutex_lock(&pool->mutex);
  pool->lent--;
  bool keep = !pool->closed && cap == pool->standard_bytes && pool->kept_count < pool->max_kept;
  if (keep) {
    struct kept *kept = (struct kept *)(void *)take_block;
    kept->next = pool->kept;
    pool->kept = kept;
    pool->kept_count++;
  }
  bool last = pool->closed && pool->lent == 0;
  pthread_mutex_unlock(&pool->mutex);
  if (!keep) block_free(take_block, cap);
  if (last) pool_free(pool);
}
