#include "batch/chunk.h"

#include "base/alloc.h"

uint32_t pubsub_buffer_column(int buffer) {
  if (buffer <= PUBSUB_BUFFER_MESSAGE_ID_BYTES) return PUBSUB_COLUMN_MESSAGE_ID;
  if (buffer <= PUBSUB_BUFFER_DATA_BYTES) return PUBSUB_COLUMN_DATA;
  if (buffer <= PUBSUB_BUFFER_VALUE_BYTES) return PUBSUB_COLUMN_ATTRIBUTES;
  if (buffer == PUBSUB_BUFFER_PUBLISH_TIME) return PUBSUB_COLUMN_PUBLISH_TIME;
  if (buffer <= PUBSUB_BUFFER_ORDERING_KEY_BYTES) return PUBSUB_COLUMN_ORDERING_KEY;
  return PUBSUB_COLUMN_DELIVERY_ATTEMPT;
}

void pubsub_chunk_view(const struct pubsub_chunk *chunk, struct pubsub_chunk_view *out) {
  *out = (struct pubsub_chunk_view){.columns = chunk->columns,
                                    .rows = chunk->rows,
                                    .attribute_entries = chunk->entries,
                                    .ordering_key_null_count = chunk->ordering_key_nulls,
                                    .delivery_attempt_null_count = chunk->delivery_attempt_nulls,
                                    .bytes = chunk->bytes,
                                    .oldest_publish_us = chunk->oldest_publish_us};
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++) {
    out->buffers[i].address = (uint64_t)(uintptr_t)chunk->buffers[i].ptr;
    out->buffers[i].bytes = chunk->buffers[i].used;
  }
}

uint64_t pubsub_chunk_room_bytes(const struct pubsub_chunk *chunk) {
  uint64_t bytes = 0;
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++)
    bytes += chunk->buffers[i].cap;
  return bytes;
}

struct pubsub_chunk *pubsub_chunk_ref(struct pubsub_chunk *chunk) {
  atomic_fetch_add_explicit(&chunk->refs, 1, memory_order_relaxed);
  return chunk;
}

void pubsub_chunk_unref(struct pubsub_chunk *chunk) {
  if (!chunk || atomic_fetch_sub_explicit(&chunk->refs, 1, memory_order_acq_rel) != 1) return;
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++) {
    pubsub_blocks_put(chunk->blocks, chunk->buffers[i].ptr, chunk->buffers[i].cap);
  }
  pubsub_blocks_unref(chunk->blocks);
  pubsub_free(chunk);
}
