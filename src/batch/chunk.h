/* The inside of a chunk, shared by builder.c (which makes them), export.c, pack.c and the
 * sealer. */
#ifndef PUBSUB_BATCH_CHUNK_H
#define PUBSUB_BATCH_CHUNK_H

#include "batch/blocks.h"
#include <pubsub/chunk.h>
#include <stdatomic.h>

struct pubsub_column_buffer {
  uint8_t *ptr; /* from the store; NULL: none */
  size_t used, cap;
};
struct pubsub_chunk {
  atomic_uint refs;
  struct pubsub_blocks *blocks; /* one reference */
  uint32_t columns;
  int32_t rows, entries, ordering_key_nulls, delivery_attempt_nulls;
  uint64_t bytes;            /* used, over all buffers */
  int64_t oldest_publish_us; /* of its rows, whatever its columns; 0 in one that was unpacked */
  struct pubsub_column_buffer buffers[PUBSUB_BUFFER_COUNT];
};
/* Bytes of the blocks that its columns are in. */
uint64_t pubsub_chunk_room_bytes(const struct pubsub_chunk *chunk);
/* The column (enum pubsub_column) that a buffer (enum pubsub_buffer) belongs to. */
uint32_t pubsub_buffer_column(int buffer);

#endif
