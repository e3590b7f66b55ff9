/*
 * The byte form of a chunk: a head, then every buffer, each padded to 8 bytes. For the same build
 * and machine type; everything is checked on the way in, because it has travelled.
 */
#include "batch/chunk.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/utf8.h"
#include <string.h>

#define MAGIC 0x314b4843u /* "CHK1" */

struct head {
  uint32_t magic, columns;
  int32_t rows, entries, ordering_key_nulls, delivery_attempt_nulls;
  uint64_t buffer_bytes[PUBSUB_BUFFER_COUNT];
};

static size_t padded(size_t bytes) {
  return (bytes + 7) & ~(size_t)7;
}

size_t pubsub_chunk_packed_bytes(const struct pubsub_chunk *chunk) {
  size_t bytes = sizeof(struct head);
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++)
    bytes += padded(chunk->buffers[i].used);
  return bytes;
}

void pubsub_chunk_pack(const struct pubsub_chunk *chunk, uint8_t *out) {
  struct head head = {MAGIC,
                      chunk->columns,
                      chunk->rows,
                      chunk->entries,
                      chunk->ordering_key_nulls,
                      chunk->delivery_attempt_nulls,
                      {0}};
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++)
    head.buffer_bytes[i] = chunk->buffers[i].used;
  memcpy(out, &head, sizeof head);
  out += sizeof head;
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++) {
    size_t used = chunk->buffers[i].used;
    if (used > 0) memcpy(out, chunk->buffers[i].ptr, used);
    memset(out + used, 0, padded(used) - used);
    out += padded(used);
  }
}

/* What a buffer's length must be; SIZE_MAX: any. */
static size_t expected_bytes(const struct head *head, int buffer) {
  size_t rows = (size_t)head->rows, entries = (size_t)head->entries;
  if (!(head->columns & pubsub_buffer_column(buffer))) return 0;
  switch (buffer) {
  case PUBSUB_BUFFER_MESSAGE_ID_OFFSETS:
  case PUBSUB_BUFFER_DATA_OFFSETS:
  case PUBSUB_BUFFER_ATTRIBUTES_OFFSETS:
  case PUBSUB_BUFFER_ORDERING_KEY_OFFSETS:
    return (rows + 1) * 4;
  case PUBSUB_BUFFER_KEY_OFFSETS:
  case PUBSUB_BUFFER_VALUE_OFFSETS:
    return (entries + 1) * 4;
  case PUBSUB_BUFFER_PUBLISH_TIME:
    return rows * 8;
  case PUBSUB_BUFFER_DELIVERY_ATTEMPT:
    return rows * 4;
  case PUBSUB_BUFFER_ORDERING_KEY_VALIDITY:
    return head->ordering_key_nulls ? (rows + 63) / 64 * 8 : 0;
  case PUBSUB_BUFFER_DELIVERY_ATTEMPT_VALIDITY:
    return head->delivery_attempt_nulls ? (rows + 63) / 64 * 8 : 0;
  default:
    return SIZE_MAX;
  }
}

static bool head_is_sane(const struct head *head, size_t left) {
  if (head->magic != MAGIC || head->columns & ~(uint32_t)PUBSUB_COLUMN_ALL || head->rows <= 0 ||
      head->entries < 0 || head->ordering_key_nulls < 0 || head->ordering_key_nulls > head->rows ||
      head->delivery_attempt_nulls < 0 || head->delivery_attempt_nulls > head->rows) {
    return false;
  }
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++) {
    size_t expected = expected_bytes(head, i);
    uint64_t bytes = head->buffer_bytes[i];
    if (bytes > INT32_MAX || padded((size_t)bytes) > left) return false;
    if (expected != SIZE_MAX && bytes != expected) return false;
    left -= padded((size_t)bytes);
  }
  return left == 0;
}

/* Offsets begin at 0, never fall, and end where the values do. */
static bool offsets_are_sane(const struct pubsub_column_buffer *offsets, uint64_t end) {
  const int32_t *values = (const int32_t *)(void *)offsets->ptr;
  size_t count = offsets->used / 4;
  if (values[0] != 0 || (uint64_t)values[count - 1] != end) return false;
  for (size_t i = 1; i < count; i++) {
    if (values[i] < values[i - 1]) return false;
  }
  return true;
}

/* Each value is text of its own: a sequence must not be torn between two. */
static bool texts_are_valid(const struct pubsub_column_buffer *offsets,
                            const struct pubsub_column_buffer *bytes) {
  const int32_t *values = (const int32_t *)(void *)offsets->ptr;
  if (pubsub_ascii(bytes->ptr, bytes->used)) return true;
  for (size_t i = 1; i < offsets->used / 4; i++) {
    if (!pubsub_utf8_valid(bytes->ptr + values[i - 1], (size_t)(values[i] - values[i - 1]))) {
      return false;
    }
  }
  return true;
}

/* Of a bitmap's rows, so many are not there. */
static bool nulls_are_sane(const struct pubsub_column_buffer *validity, uint32_t rows,
                           int32_t nulls) {
  int32_t found = 0;
  if (validity->used == 0) return nulls == 0;
  for (uint32_t row = 0; row < rows; row++)
    found += !(validity->ptr[row / 8] >> row % 8 & 1);
  return found == nulls;
}

static bool content_is_sane(const struct pubsub_chunk *chunk) {
  static const struct {
    int offsets, bytes;
    bool text;
  } columns[] = {
      {PUBSUB_BUFFER_MESSAGE_ID_OFFSETS, PUBSUB_BUFFER_MESSAGE_ID_BYTES, true},
      {PUBSUB_BUFFER_DATA_OFFSETS, PUBSUB_BUFFER_DATA_BYTES, false},
      {PUBSUB_BUFFER_KEY_OFFSETS, PUBSUB_BUFFER_KEY_BYTES, true},
      {PUBSUB_BUFFER_VALUE_OFFSETS, PUBSUB_BUFFER_VALUE_BYTES, true},
      {PUBSUB_BUFFER_ORDERING_KEY_OFFSETS, PUBSUB_BUFFER_ORDERING_KEY_BYTES, true},
  };
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    const struct pubsub_column_buffer *offsets = &chunk->buffers[columns[i].offsets];
    const struct pubsub_column_buffer *bytes = &chunk->buffers[columns[i].bytes];
    if (!(chunk->columns & pubsub_buffer_column(columns[i].offsets))) continue;
    if (!offsets_are_sane(offsets, bytes->used)) return false;
    if (columns[i].text && !texts_are_valid(offsets, bytes)) return false;
  }
  uint32_t rows = (uint32_t)chunk->rows;
  if (!nulls_are_sane(&chunk->buffers[PUBSUB_BUFFER_ORDERING_KEY_VALIDITY], rows,
                      chunk->ordering_key_nulls) ||
      !nulls_are_sane(&chunk->buffers[PUBSUB_BUFFER_DELIVERY_ATTEMPT_VALIDITY], rows,
                      chunk->delivery_attempt_nulls)) {
    return false;
  }
  return !(chunk->columns & PUBSUB_COLUMN_ATTRIBUTES) ||
         offsets_are_sane(&chunk->buffers[PUBSUB_BUFFER_ATTRIBUTES_OFFSETS],
                          (uint64_t)chunk->entries);
}

enum pubsub_status pubsub_chunk_unpack(const uint8_t *packed, size_t packed_bytes,
                                       struct pubsub_chunk **out, struct pubsub_error *error) {
  struct head head;
  struct pubsub_blocks *blocks = NULL;
  struct pubsub_chunk *chunk = NULL;
  if (packed_bytes < sizeof head) goto malformed;
  memcpy(&head, packed, sizeof head);
  if (!head_is_sane(&head, packed_bytes - sizeof head)) goto malformed;
  chunk = pubsub_alloc_zero(1, sizeof *chunk);
  if (!chunk || pubsub_blocks_new(0, &blocks) != PUBSUB_OK) goto no_memory;
  atomic_init(&chunk->refs, 1);
  chunk->blocks = blocks;
  chunk->columns = head.columns;
  chunk->rows = head.rows;
  chunk->entries = head.entries;
  chunk->ordering_key_nulls = head.ordering_key_nulls;
  chunk->delivery_attempt_nulls = head.delivery_attempt_nulls;
  packed += sizeof head;
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++) {
    struct pubsub_column_buffer *buffer = &chunk->buffers[i];
    size_t bytes = (size_t)head.buffer_bytes[i];
    if (!(head.columns & pubsub_buffer_column(i)) || expected_bytes(&head, i) == 0) continue;
    buffer->ptr = pubsub_blocks_get(blocks, bytes, &buffer->cap);
    if (!buffer->ptr) goto no_memory;
    if (bytes > 0) memcpy(buffer->ptr, packed, bytes);
    buffer->used = bytes;
    chunk->bytes += bytes;
    packed += padded(bytes);
  }
  if (!content_is_sane(chunk)) {
    pubsub_chunk_unref(chunk);
    goto malformed;
  }
  *out = chunk;
  return PUBSUB_OK;
malformed:
  return pubsub_error_set(error, PUBSUB_E_PROTOCOL, "the packed chunk is malformed");
no_memory:
  if (blocks) {
    pubsub_chunk_unref(chunk);
  } else {
    pubsub_free(chunk);
  }
  return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
}
