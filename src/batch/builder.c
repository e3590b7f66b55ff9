#include "batch/builder.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "batch/chunk.h"

/* The largest size of the store whose every byte an int32 offset can name: a block's room is then
 * all the check there is. */
#define MAX_COLUMN_BYTES ((size_t)7 << 28)
#define MAX_ROWS (1u << 28)
#define SHRINK_ABOVE_BYTES 65536
#define FIRST_ROWS 64

struct pubsub_builder {
  struct pubsub_blocks *blocks; /* one reference */
  uint32_t columns;
  uint32_t rows, row_cap; /* every fixed-width buffer has room for row_cap rows */
  uint32_t entries, entry_cap;
  uint64_t bytes;
  int64_t oldest_publish_us; /* of the rows */
  struct pubsub_column_buffer buffers[PUBSUB_BUFFER_COUNT];
  struct pubsub_column_buffer ack_bytes, ack_offsets;
  /* a payload is being written into the data column's block, behind what is used */
  bool data_reserved;
  size_t hints[PUBSUB_BUFFER_COUNT + 2]; /* what the previous chunk used */
};

enum pubsub_status pubsub_builder_new(struct pubsub_blocks *blocks, uint32_t columns,
                                      struct pubsub_builder **out) {
  struct pubsub_builder *builder = pubsub_alloc_zero(1, sizeof *builder);
  if (!builder) return PUBSUB_E_NOMEM;
  builder->blocks = pubsub_blocks_ref(blocks);
  builder->columns = columns & PUBSUB_COLUMN_ALL;
  *out = builder;
  return PUBSUB_OK;
}

static void release(struct pubsub_builder *builder, struct pubsub_column_buffer *buffer) {
  pubsub_blocks_put(builder->blocks, buffer->ptr, buffer->cap);
  *buffer = (struct pubsub_column_buffer){0};
}

void pubsub_builder_destroy(struct pubsub_builder *builder) {
  if (!builder) return;
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++)
    release(builder, &builder->buffers[i]);
  release(builder, &builder->ack_bytes);
  release(builder, &builder->ack_offsets);
  pubsub_blocks_unref(builder->blocks);
  pubsub_free(builder);
}

static size_t hint_of(const struct pubsub_builder *builder,
                      const struct pubsub_column_buffer *buffer) {
  if (buffer == &builder->ack_bytes) return builder->hints[PUBSUB_BUFFER_COUNT];
  if (buffer == &builder->ack_offsets) return builder->hints[PUBSUB_BUFFER_COUNT + 1];
  return builder->hints[buffer - builder->buffers];
}

/* Sizes of a power of two fit the blocks of the chunks before, whatever the first size was. */
static size_t next_power(size_t bytes) {
  return (size_t)1 << (64 - __builtin_clzll(bytes));
}

static enum pubsub_status grow(struct pubsub_builder *builder, struct pubsub_column_buffer *buffer,
                               size_t bytes) {
  size_t want = buffer->ptr ? next_power(buffer->cap) : hint_of(builder, buffer);
  if (want > MAX_COLUMN_BYTES) want = MAX_COLUMN_BYTES;
  if (want < bytes) want = bytes;
  size_t cap;
  uint8_t *ptr = pubsub_blocks_get(builder->blocks, want, &cap);
  if (!ptr) return PUBSUB_E_NOMEM;
  if (buffer->used > 0) memcpy(ptr, buffer->ptr, buffer->used);
  pubsub_blocks_put(builder->blocks, buffer->ptr, buffer->cap);
  buffer->ptr = ptr;
  buffer->cap = cap;
  return PUBSUB_OK;
}

static inline enum pubsub_status ensure(struct pubsub_builder *builder,
                                        struct pubsub_column_buffer *buffer, size_t more) {
  if (__builtin_expect(more <= buffer->cap - buffer->used, 1)) return PUBSUB_OK;
  if (buffer->used + more > MAX_COLUMN_BYTES) return PUBSUB_E_LIMIT;
  return grow(builder, buffer, buffer->used + more);
}

static bool has(const struct pubsub_builder *builder, uint32_t column) {
  return (builder->columns & column) != 0;
}

/* Room for `count` values of `width` bytes, and a first zero offset where there is none yet. */
static enum pubsub_status ensure_fixed(struct pubsub_builder *builder,
                                       struct pubsub_column_buffer *buffer, size_t count,
                                       size_t width) {
  if (count * width <= buffer->cap) return PUBSUB_OK;
  return grow(builder, buffer, count * width);
}

static enum pubsub_status ensure_rows(struct pubsub_builder *builder) {
  static const struct {
    uint32_t column;
    int buffer;
    size_t width, extra;
  } fixed[] = {{PUBSUB_COLUMN_MESSAGE_ID, PUBSUB_BUFFER_MESSAGE_ID_OFFSETS, 4, 1},
               {PUBSUB_COLUMN_DATA, PUBSUB_BUFFER_DATA_OFFSETS, 4, 1},
               {PUBSUB_COLUMN_ATTRIBUTES, PUBSUB_BUFFER_ATTRIBUTES_OFFSETS, 4, 1},
               {PUBSUB_COLUMN_PUBLISH_TIME, PUBSUB_BUFFER_PUBLISH_TIME, 8, 0},
               {PUBSUB_COLUMN_ORDERING_KEY, PUBSUB_BUFFER_ORDERING_KEY_OFFSETS, 4, 1},
               {PUBSUB_COLUMN_DELIVERY_ATTEMPT, PUBSUB_BUFFER_DELIVERY_ATTEMPT, 4, 0}};
  uint32_t cap = builder->row_cap ? builder->row_cap * 2 : FIRST_ROWS;
  if (cap > MAX_ROWS) return PUBSUB_E_LIMIT;
  for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++) {
    struct pubsub_column_buffer *buffer = &builder->buffers[fixed[i].buffer];
    if (!has(builder, fixed[i].column)) continue;
    if (ensure_fixed(builder, buffer, cap + fixed[i].extra, fixed[i].width) != PUBSUB_OK) {
      return PUBSUB_E_NOMEM;
    }
    if (fixed[i].extra && buffer->used == 0) {
      memset(buffer->ptr, 0, 4);
      buffer->used = 4;
    }
  }
  struct pubsub_column_buffer *ack_offsets = &builder->ack_offsets;
  if (ensure_fixed(builder, ack_offsets, cap + 1, 4) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  if (ack_offsets->used == 0) {
    memset(ack_offsets->ptr, 0, 4);
    ack_offsets->used = 4;
  }
  builder->row_cap = cap;
  return PUBSUB_OK;
}

static enum pubsub_status ensure_entries(struct pubsub_builder *builder, size_t more) {
  struct pubsub_column_buffer *keys = &builder->buffers[PUBSUB_BUFFER_KEY_OFFSETS];
  struct pubsub_column_buffer *values = &builder->buffers[PUBSUB_BUFFER_VALUE_OFFSETS];
  if (builder->entries + more <= builder->entry_cap && keys->used > 0) return PUBSUB_OK;
  size_t cap = builder->entry_cap ? builder->entry_cap : FIRST_ROWS;
  while (cap < builder->entries + more)
    cap *= 2;
  if (cap > MAX_COLUMN_BYTES / 8) return PUBSUB_E_LIMIT;
  if (ensure_fixed(builder, keys, cap + 1, 4) != PUBSUB_OK ||
      ensure_fixed(builder, values, cap + 1, 4) != PUBSUB_OK) {
    return PUBSUB_E_NOMEM;
  }
  if (keys->used == 0) {
    memset(keys->ptr, 0, 4);
    memset(values->ptr, 0, 4);
    keys->used = values->used = 4;
  }
  builder->entry_cap = (uint32_t)cap;
  return PUBSUB_OK;
}

/* Bytes a text takes as valid UTF-8. */
static inline size_t text_bytes(struct pubsub_view text) {
  if (__builtin_expect(pubsub_ascii(text.ptr, text.len), 1)) return text.len;
  return pubsub_utf8_repair(text.ptr, text.len, NULL);
}

static inline void put_offset(struct pubsub_column_buffer *offsets, size_t used) {
  uint32_t offset = (uint32_t)used;
  memcpy(offsets->ptr + offsets->used, &offset, 4);
  offsets->used += 4;
}

static inline void put_text(struct pubsub_column_buffer *offsets,
                            struct pubsub_column_buffer *bytes, struct pubsub_view text,
                            size_t len) {
  if (__builtin_expect(len == text.len, 1)) {
    if (len > 0) memcpy(bytes->ptr + bytes->used, text.ptr, len);
  } else {
    pubsub_utf8_repair(text.ptr, text.len, bytes->ptr + bytes->used);
  }
  bytes->used += len;
  put_offset(offsets, bytes->used);
}

static enum pubsub_status ensure_attributes(struct pubsub_builder *builder,
                                            const struct pubsub_received *message) {
  size_t key_bytes = 0, value_bytes = 0;
  for (size_t i = 0; i < message->attribute_count; i++) {
    key_bytes += text_bytes(message->attributes[i].key);
    value_bytes += text_bytes(message->attributes[i].value);
  }
  enum pubsub_status status = ensure_entries(builder, message->attribute_count);
  if (status != PUBSUB_OK) return status;
  status = ensure(builder, &builder->buffers[PUBSUB_BUFFER_KEY_BYTES], key_bytes);
  if (status != PUBSUB_OK) return status;
  return ensure(builder, &builder->buffers[PUBSUB_BUFFER_VALUE_BYTES], value_bytes);
}

static void put_attributes(struct pubsub_builder *builder, const struct pubsub_received *message) {
  struct pubsub_column_buffer *buffers = builder->buffers;
  for (size_t i = 0; i < message->attribute_count; i++) {
    const struct pubsub_attribute *attribute = &message->attributes[i];
    put_text(&buffers[PUBSUB_BUFFER_KEY_OFFSETS], &buffers[PUBSUB_BUFFER_KEY_BYTES], attribute->key,
             text_bytes(attribute->key));
    put_text(&buffers[PUBSUB_BUFFER_VALUE_OFFSETS], &buffers[PUBSUB_BUFFER_VALUE_BYTES],
             attribute->value, text_bytes(attribute->value));
  }
  builder->entries += (uint32_t)message->attribute_count;
  put_offset(&buffers[PUBSUB_BUFFER_ATTRIBUTES_OFFSETS], builder->entries);
}

enum pubsub_status pubsub_builder_reserve_data(struct pubsub_builder *builder, size_t len,
                                               uint8_t **out) {
  struct pubsub_column_buffer *data = &builder->buffers[PUBSUB_BUFFER_DATA_BYTES];
  *out = NULL;
  if (!has(builder, PUBSUB_COLUMN_DATA)) return PUBSUB_OK;
  enum pubsub_status status = ensure(builder, data, len);
  if (status == PUBSUB_OK) {
    *out = data->ptr + data->used;
    builder->data_reserved = true;
  }
  return status;
}

void pubsub_builder_forget_reserved(struct pubsub_builder *builder) {
  if (!builder->data_reserved) return;
  builder->data_reserved = false;
  if (builder->rows == 0) release(builder, &builder->buffers[PUBSUB_BUFFER_DATA_BYTES]);
}

enum pubsub_status pubsub_builder_append(struct pubsub_builder *builder,
                                         const struct pubsub_received *message) {
  struct pubsub_column_buffer *buffers = builder->buffers;
  size_t id_bytes = 0, key_bytes = 0;
  enum pubsub_status status;
  if (builder->rows == builder->row_cap && (status = ensure_rows(builder)) != PUBSUB_OK) {
    return status;
  }
  /* All room first: an error changes nothing. */
  if ((status = ensure(builder, &builder->ack_bytes, message->ack_id.len)) != PUBSUB_OK) {
    return status;
  }
  if (has(builder, PUBSUB_COLUMN_MESSAGE_ID)) {
    id_bytes = text_bytes(message->message_id);
    status = ensure(builder, &buffers[PUBSUB_BUFFER_MESSAGE_ID_BYTES], id_bytes);
    if (status != PUBSUB_OK) return status;
  }
  if (has(builder, PUBSUB_COLUMN_DATA)) {
    status = ensure(builder, &buffers[PUBSUB_BUFFER_DATA_BYTES], message->data.len);
    if (status != PUBSUB_OK) return status;
  }
  if (has(builder, PUBSUB_COLUMN_ATTRIBUTES) &&
      (status = ensure_attributes(builder, message)) != PUBSUB_OK) {
    return status;
  }
  if (has(builder, PUBSUB_COLUMN_ORDERING_KEY)) {
    key_bytes = text_bytes(message->ordering_key);
    status = ensure(builder, &buffers[PUBSUB_BUFFER_ORDERING_KEY_BYTES], key_bytes);
    if (status != PUBSUB_OK) return status;
  }

  if (has(builder, PUBSUB_COLUMN_MESSAGE_ID)) {
    put_text(&buffers[PUBSUB_BUFFER_MESSAGE_ID_OFFSETS], &buffers[PUBSUB_BUFFER_MESSAGE_ID_BYTES],
             message->message_id, id_bytes);
    builder->bytes += id_bytes + 4;
  }
  if (has(builder, PUBSUB_COLUMN_DATA)) {
    struct pubsub_column_buffer *data = &buffers[PUBSUB_BUFFER_DATA_BYTES];
    /* A cut payload was written to its place while it arrived, or, where a seal came between,
     * further up in its block. */
    if (message->data.len > 0 && message->data.ptr != data->ptr + data->used) {
      memmove(data->ptr + data->used, message->data.ptr, message->data.len);
    }
    builder->data_reserved = false;
    data->used += message->data.len;
    put_offset(&buffers[PUBSUB_BUFFER_DATA_OFFSETS], data->used);
    builder->bytes += message->data.len + 4;
  }
  if (has(builder, PUBSUB_COLUMN_ATTRIBUTES)) {
    size_t used = buffers[PUBSUB_BUFFER_KEY_BYTES].used + buffers[PUBSUB_BUFFER_VALUE_BYTES].used;
    put_attributes(builder, message);
    builder->bytes += buffers[PUBSUB_BUFFER_KEY_BYTES].used +
                      buffers[PUBSUB_BUFFER_VALUE_BYTES].used - used + 4 +
                      8 * message->attribute_count;
  }
  if (has(builder, PUBSUB_COLUMN_PUBLISH_TIME)) {
    struct pubsub_column_buffer *times = &buffers[PUBSUB_BUFFER_PUBLISH_TIME];
    memcpy(times->ptr + times->used, &message->publish_time_us, 8);
    times->used += 8;
    builder->bytes += 8;
  }
  if (has(builder, PUBSUB_COLUMN_ORDERING_KEY)) {
    put_text(&buffers[PUBSUB_BUFFER_ORDERING_KEY_OFFSETS],
             &buffers[PUBSUB_BUFFER_ORDERING_KEY_BYTES], message->ordering_key, key_bytes);
    builder->bytes += key_bytes + 4;
  }
  if (has(builder, PUBSUB_COLUMN_DELIVERY_ATTEMPT)) {
    struct pubsub_column_buffer *attempts = &buffers[PUBSUB_BUFFER_DELIVERY_ATTEMPT];
    memcpy(attempts->ptr + attempts->used, &message->delivery_attempt, 4);
    attempts->used += 4;
    builder->bytes += 4;
  }
  struct pubsub_column_buffer *acks = &builder->ack_bytes;
  if (message->ack_id.len > 0) {
    memcpy(acks->ptr + acks->used, message->ack_id.ptr, message->ack_id.len);
  }
  acks->used += message->ack_id.len;
  put_offset(&builder->ack_offsets, acks->used);
  if (builder->rows == 0 || message->publish_time_us < builder->oldest_publish_us) {
    builder->oldest_publish_us = message->publish_time_us;
  }
  builder->rows++;
  return PUBSUB_OK;
}

uint32_t pubsub_builder_rows(const struct pubsub_builder *builder) {
  return builder->rows;
}

uint64_t pubsub_builder_bytes(const struct pubsub_builder *builder) {
  return builder->bytes;
}

/* ---- sealing ---- */

static uint32_t read_u32(const uint8_t *ptr, size_t index) {
  uint32_t value;
  memcpy(&value, ptr + index * 4, 4);
  return value;
}

static bool is_null(const struct pubsub_column_buffer *values, bool offsets, uint32_t row) {
  if (offsets) return read_u32(values->ptr, row) == read_u32(values->ptr, row + 1);
  return read_u32(values->ptr, row) == 0;
}

/* Counts nulls; where there are some, makes the validity bitmap (64-bit padded). */
static enum pubsub_status make_validity(struct pubsub_builder *builder, struct pubsub_chunk *chunk,
                                        int validity, int values, bool offsets,
                                        int32_t *out_nulls) {
  const struct pubsub_column_buffer *source = &builder->buffers[values];
  struct pubsub_column_buffer *bitmap = &chunk->buffers[validity];
  uint32_t nulls = 0;
  for (uint32_t row = 0; row < builder->rows; row++)
    nulls += is_null(source, offsets, row);
  *out_nulls = (int32_t)nulls;
  if (nulls == 0) return PUBSUB_OK;
  size_t bytes = (builder->rows + 63) / 64 * 8;
  bitmap->ptr = pubsub_blocks_get(builder->blocks, bytes, &bitmap->cap);
  if (!bitmap->ptr) return PUBSUB_E_NOMEM;
  bitmap->used = bytes;
  memset(bitmap->ptr, 0, bytes);
  if (nulls == builder->rows) return PUBSUB_OK;
  for (uint32_t row = 0; row < builder->rows; row++) {
    if (!is_null(source, offsets, row)) bitmap->ptr[row / 8] |= (uint8_t)(1 << row % 8);
  }
  return PUBSUB_OK;
}

/* A buffer that is mostly empty moves into a block of its size, so that the budget counts what is
 * there. */
static void shrink(struct pubsub_builder *builder, struct pubsub_column_buffer *buffer) {
  if (buffer->cap <= SHRINK_ABOVE_BYTES || buffer->used >= buffer->cap / 2) return;
  size_t cap;
  uint8_t *ptr = pubsub_blocks_get(builder->blocks, buffer->used, &cap);
  if (!ptr) return;
  if (buffer->used > 0) memcpy(ptr, buffer->ptr, buffer->used);
  pubsub_blocks_put(builder->blocks, buffer->ptr, buffer->cap);
  buffer->ptr = ptr;
  buffer->cap = cap;
}

/* The block of the data column stays with the builder while a payload is on its way into it; the
 * chunk gets a copy. */
static enum pubsub_status split_data(struct pubsub_builder *builder, struct pubsub_chunk *chunk) {
  struct pubsub_column_buffer *data = &builder->buffers[PUBSUB_BUFFER_DATA_BYTES];
  struct pubsub_column_buffer *out = &chunk->buffers[PUBSUB_BUFFER_DATA_BYTES];
  if (!builder->data_reserved) return PUBSUB_OK;
  out->ptr = pubsub_blocks_get(builder->blocks, data->used, &out->cap);
  if (!out->ptr) return PUBSUB_E_NOMEM;
  if (data->used > 0) memcpy(out->ptr, data->ptr, data->used);
  out->used = data->used;
  return PUBSUB_OK;
}

/* Arrow wants data buffers that exist, even where they are empty. */
static enum pubsub_status ensure_present(struct pubsub_builder *builder) {
  static const int bytes_buffers[] = {PUBSUB_BUFFER_MESSAGE_ID_BYTES, PUBSUB_BUFFER_DATA_BYTES,
                                      PUBSUB_BUFFER_KEY_BYTES, PUBSUB_BUFFER_VALUE_BYTES,
                                      PUBSUB_BUFFER_ORDERING_KEY_BYTES};
  if (has(builder, PUBSUB_COLUMN_ATTRIBUTES) && ensure_entries(builder, 0) != PUBSUB_OK) {
    return PUBSUB_E_NOMEM;
  }
  for (size_t i = 0; i < sizeof bytes_buffers / sizeof *bytes_buffers; i++) {
    struct pubsub_column_buffer *buffer = &builder->buffers[bytes_buffers[i]];
    if (!has(builder, pubsub_buffer_column(bytes_buffers[i])) || buffer->ptr) continue;
    if (grow(builder, buffer, 1) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  }
  return builder->ack_bytes.ptr ? PUBSUB_OK : grow(builder, &builder->ack_bytes, 1);
}

enum pubsub_status pubsub_builder_seal(struct pubsub_builder *builder, struct pubsub_chunk **out,
                                       struct pubsub_ack_ids *out_ack_ids) {
  struct pubsub_chunk *chunk = pubsub_alloc_zero(1, sizeof *chunk);
  if (!chunk) return PUBSUB_E_NOMEM;
  atomic_init(&chunk->refs, 1);
  chunk->blocks = pubsub_blocks_ref(builder->blocks);
  enum pubsub_status status = ensure_present(builder);
  if (status == PUBSUB_OK && has(builder, PUBSUB_COLUMN_ORDERING_KEY)) {
    status = make_validity(builder, chunk, PUBSUB_BUFFER_ORDERING_KEY_VALIDITY,
                           PUBSUB_BUFFER_ORDERING_KEY_OFFSETS, true, &chunk->ordering_key_nulls);
  }
  if (status == PUBSUB_OK && has(builder, PUBSUB_COLUMN_DELIVERY_ATTEMPT)) {
    status = make_validity(builder, chunk, PUBSUB_BUFFER_DELIVERY_ATTEMPT_VALIDITY,
                           PUBSUB_BUFFER_DELIVERY_ATTEMPT, false, &chunk->delivery_attempt_nulls);
  }
  if (status == PUBSUB_OK) status = split_data(builder, chunk);
  if (status != PUBSUB_OK) {
    pubsub_chunk_unref(chunk);
    return status;
  }
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++) {
    builder->hints[i] = builder->buffers[i].used;
    if (i == PUBSUB_BUFFER_DATA_BYTES && builder->data_reserved) {
      builder->buffers[i].used = 0;
    } else if (builder->buffers[i].ptr) {
      shrink(builder, &builder->buffers[i]);
      chunk->buffers[i] = builder->buffers[i];
      builder->buffers[i] = (struct pubsub_column_buffer){0};
    }
    chunk->bytes += chunk->buffers[i].used;
  }
  builder->hints[PUBSUB_BUFFER_COUNT] = builder->ack_bytes.used;
  builder->hints[PUBSUB_BUFFER_COUNT + 1] = builder->ack_offsets.used;
  shrink(builder, &builder->ack_bytes);
  chunk->columns = builder->columns;
  chunk->rows = (int32_t)builder->rows;
  chunk->entries = (int32_t)builder->entries;
  chunk->oldest_publish_us = builder->oldest_publish_us;
  *out_ack_ids = (struct pubsub_ack_ids){.bytes = builder->ack_bytes.ptr,
                                         .offsets = (uint32_t *)(void *)builder->ack_offsets.ptr,
                                         .count = builder->rows,
                                         .bytes_capacity = builder->ack_bytes.cap,
                                         .offsets_capacity = builder->ack_offsets.cap,
                                         .blocks = pubsub_blocks_ref(builder->blocks)};
  builder->ack_bytes = builder->ack_offsets = (struct pubsub_column_buffer){0};
  builder->rows = builder->row_cap = builder->entries = builder->entry_cap = 0;
  builder->bytes = 0;
  *out = chunk;
  return PUBSUB_OK;
}
