#include "pub/publish_request.h"

#include "base/alloc.h"
#include "pub/gzip.h"

static void request_free(struct pubsub_publish_request *request) {
  if (request->bytes) pubsub_request_pool_give(request->pool, request->bytes, request->cap);
  pubsub_free(request->packed);
  pubsub_free(request->numbers);
  pubsub_free((uint8_t *)(uintptr_t)request->order.key.ptr);
  pubsub_free(request);
}

static enum pubsub_status copy_key(struct pubsub_publish_request *request, struct pubsub_view key) {
  if (key.len == 0) return PUBSUB_OK;
  uint8_t *copy = pubsub_alloc(key.len);
  if (!copy) return PUBSUB_E_NOMEM;
  memcpy(copy, key.ptr, key.len);
  request->order.key = pubsub_view_of(copy, key.len);
  return PUBSUB_OK;
}

struct pubsub_publish_request *pubsub_publish_request_new(struct pubsub_request_pool *pool,
                                                          struct pubsub_view head, size_t more,
                                                          struct pubsub_view key) {
  struct pubsub_publish_request *request = pubsub_alloc_zero(1, sizeof *request);
  if (!request) return NULL;
  request->pool = pool;
  request->bytes = pubsub_request_pool_take(pool, head.len + more, &request->cap);
  if (!request->bytes || copy_key(request, key) != PUBSUB_OK) {
    request_free(request);
    return NULL;
  }
  memcpy(request->bytes, head.ptr, head.len);
  request->len = head.len;
  request->refs = 1;
  pubsub_list_init(&request->link);
  pubsub_list_init(&request->open.link);
  pubsub_list_init(&request->loop.link);
  return request;
}

enum pubsub_status pubsub_publish_request_reserve(struct pubsub_publish_request *request,
                                                  size_t more) {
  if (more <= request->cap - request->len) return PUBSUB_OK;
  size_t cap;
  uint8_t *block = pubsub_request_pool_take(request->pool, request->len + more, &cap);
  if (!block) return PUBSUB_E_NOMEM;
  memcpy(block, request->bytes, request->len);
  pubsub_request_pool_give(request->pool, request->bytes, request->cap);
  request->bytes = block;
  request->cap = cap;
  return PUBSUB_OK;
}

uint64_t pubsub_publish_request_number(const struct pubsub_publish_request *request, size_t index) {
  return request->numbers ? request->numbers[index] : request->first_number + index;
}

enum pubsub_status pubsub_publish_request_note_number(struct pubsub_publish_request *request,
                                                      uint64_t number, uint32_t max_messages) {
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

void pubsub_publish_request_pack(struct pubsub_publish_request *request) {
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
  pubsub_publish_request_unref(owner);
}

struct pubsub_segment pubsub_publish_request_segment(struct pubsub_publish_request *request) {
  request->refs++;
  if (request->packed) {
    return (struct pubsub_segment){request->packed, request->packed_len, release_segment, request};
  }
  return (struct pubsub_segment){request->bytes, request->len, release_segment, request};
}

void pubsub_publish_request_unref(struct pubsub_publish_request *request) {
  if (--request->refs == 0) request_free(request);
}
