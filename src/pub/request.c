#include "pub/request.h"
#include "base/alloc.h"
#include "pub/gzip.h"
#include <pthread.h>

#define SMALLEST_BYTES 512u
/* Blocks of this size and up come from the bulk allocator. */
#define BULK_BYTES 65536u

struct pubsub_request_pool {
  pthread_mutex_t mutex;
  struct pubsub_list kept; /* requests with a standard block; the last that came back first */
  size_t kept_count, max_kept;
  size_t lent; /* requests that exist and are not kept */
  bool closed;
  size_t standard_bytes;
  size_t head_bytes;
  uint8_t head[];
};

static uint8_t *block_new(size_t bytes) {
  return bytes >= BULK_BYTES ? pubsub_alloc_bulk(bytes) : pubsub_alloc(bytes);
}

static void block_free(uint8_t *block, size_t bytes) {
  if (!block) return;
  if (bytes >= BULK_BYTES)
    pubsub_free_bulk(block, bytes);
  else
    pubsub_free(block);
}

static void request_free(struct pubsub_request *request) {
  block_free(request->bytes, request->cap);
  pubsub_free(request->packed);
  pubsub_free(request->numbers);
  pubsub_free((uint8_t *)request->order.key.ptr);
  pubsub_free(request);
}

enum pubsub_status pubsub_request_pool_new(struct pubsub_view head, size_t standard_bytes,
                                           size_t max_kept, struct pubsub_request_pool **out) {
  struct pubsub_request_pool *pool = pubsub_alloc_zero(1, sizeof *pool + head.len);
  if (!pool) return PUBSUB_E_NOMEM;
  pthread_mutex_init(&pool->mutex, NULL);
  pubsub_list_init(&pool->kept);
  pool->max_kept = max_kept;
  pool->standard_bytes = standard_bytes;
  pool->head_bytes = head.len;
  memcpy(pool->head, head.ptr, head.len);
  *out = pool;
  return PUBSUB_OK;
}

static void pool_free(struct pubsub_request_pool *pool) {
  pthread_mutex_destroy(&pool->mutex);
  pubsub_free(pool);
}

void pubsub_request_pool_close(struct pubsub_request_pool *pool) {
  if (!pool) return;
  pthread_mutex_lock(&pool->mutex);
  pool->closed = true;
  while (!pubsub_list_empty(&pool->kept)) {
    struct pubsub_request *request =
        PUBSUB_CONTAINER_OF(pool->kept.next, struct pubsub_request, link);
    pubsub_list_remove(&request->link);
    request_free(request);
  }
  bool last = pool->lent == 0;
  pthread_mutex_unlock(&pool->mutex);
  if (last) pool_free(pool);
}

static struct pubsub_request *pool_take(struct pubsub_request_pool *pool, bool standard) {
  struct pubsub_request *request = NULL;
  pthread_mutex_lock(&pool->mutex);
  if (standard && !pubsub_list_empty(&pool->kept)) {
    request = PUBSUB_CONTAINER_OF(pool->kept.next, struct pubsub_request, link);
    pubsub_list_remove(&request->link);
    pool->kept_count--;
  }
  pool->lent++;
  pthread_mutex_unlock(&pool->mutex);
  return request;
}

/* request NULL: it never came to be. */
static void pool_put(struct pubsub_request_pool *pool, struct pubsub_request *request) {
  if (request) {
    pubsub_free(request->packed);
    request->packed = NULL;
  }
  pthread_mutex_lock(&pool->mutex);
  pool->lent--;
  bool keep = request && !pool->closed && request->cap == pool->standard_bytes &&
              pool->kept_count < pool->max_kept;
  if (keep) {
    pubsub_list_push_front(&pool->kept, &request->link);
    pool->kept_count++;
  }
  bool last = pool->closed && pool->lent == 0;
  pthread_mutex_unlock(&pool->mutex);
  if (!keep && request) request_free(request);
  if (last) pool_free(pool);
}

static size_t block_bytes_for(const struct pubsub_request_pool *pool, size_t bytes) {
  if (bytes > pool->standard_bytes) return bytes;
  size_t cap = SMALLEST_BYTES;
  while (cap < bytes)
    cap *= 2;
  return cap * 2 > pool->standard_bytes ? pool->standard_bytes : cap;
}

struct pubsub_request *pubsub_request_new(struct pubsub_request_pool *pool, size_t bytes,
                                          struct pubsub_view key) {
  if (bytes < pool->head_bytes) bytes = pool->head_bytes;
  size_t cap = block_bytes_for(pool, bytes);
  struct pubsub_request *request = pool_take(pool, cap == pool->standard_bytes);
  uint8_t *block = NULL, *key_copy = NULL;
  if (request) {
    block = request->bytes;
    pubsub_free(request->numbers);
    pubsub_free((uint8_t *)request->order.key.ptr);
    memset(request, 0, sizeof *request);
  } else {
    request = pubsub_alloc_zero(1, sizeof *request);
    block = request ? block_new(cap) : NULL;
    if (!block) goto fail;
  }
  request->bytes = block;
  request->cap = cap;
  request->pool = pool;
  if (key.len > 0) {
    key_copy = pubsub_alloc(key.len);
    if (!key_copy) goto fail;
    memcpy(key_copy, key.ptr, key.len);
  }
  request->order.key = pubsub_view_of(key_copy, key.len);
  request->refs = 1;
  pubsub_list_init(&request->open_link);
  pubsub_list_init(&request->link);
  pubsub_list_init(&request->unfinished_link);
  pubsub_list_init(&request->under_way_link);
  memcpy(block, pool->head, pool->head_bytes);
  request->len = pool->head_bytes;
  return request;

fail:
  if (request) request_free(request);
  pool_put(pool, NULL);
  return NULL;
}

enum pubsub_status pubsub_request_reserve(struct pubsub_request *request, size_t more) {
  if (more <= request->cap - request->len) return PUBSUB_OK;
  size_t cap = block_bytes_for(request->pool, request->len + more);
  uint8_t *block = block_new(cap);
  if (!block) return PUBSUB_E_NOMEM;
  memcpy(block, request->bytes, request->len);
  block_free(request->bytes, request->cap);
  request->bytes = block;
  request->cap = cap;
  return PUBSUB_OK;
}

uint64_t pubsub_request_number(const struct pubsub_request *request, size_t index) {
  return request->numbers ? request->numbers[index] : request->first_number + index;
}

enum pubsub_status pubsub_request_note_number(struct pubsub_request *request, uint64_t number,
                                              uint32_t max_messages) {
  uint32_t index = request->batch.messages;
  if (index == 0) request->first_number = number;
  if (!request->numbers && number == request->first_number + index) return PUBSUB_OK;
  if (!request->numbers) {
    uint64_t *numbers = pubsub_alloc_zero(max_messages, sizeof *numbers);
    if (!numbers) return PUBSUB_E_NOMEM;
    for (uint32_t i = 0; i < index; i++)
      numbers[i] = request->first_number + i;
    request->numbers = numbers;
  }
  request->numbers[index] = number;
  return PUBSUB_OK;
}

void pubsub_request_pack(struct pubsub_request *request) {
  if (request->tried_to_pack || request->len <= PUBSUB_GZIP_MIN_BYTES) return;
  request->tried_to_pack = true;
  uint8_t *packed = pubsub_alloc(request->len);
  if (!packed) return;
  size_t len = pubsub_gzip(pubsub_view_of(request->bytes, request->len), packed, request->len);
  uint8_t *fitting = len > 0 ? pubsub_realloc(packed, len) : NULL;
  if (len == 0) {
    pubsub_free(packed);
    return;
  }
  request->packed = fitting ? fitting : packed;
  request->packed_len = len;
}

static void release_segment(void *owner) {
  pubsub_request_unref(owner);
}

struct pubsub_segment pubsub_request_segment(struct pubsub_request *request) {
  request->refs++;
  if (request->packed) {
    return (struct pubsub_segment){request->packed, request->packed_len, release_segment, request};
  }
  return (struct pubsub_segment){request->bytes, request->len, release_segment, request};
}

void pubsub_request_unref(struct pubsub_request *request) {
  if (--request->refs == 0) pool_put(request->pool, request);
}
