#include "batch/drop_rows.h"

#include "base/alloc.h"
#include "batch/chunk.h"

static uint32_t read_u32(const struct pubsub_chunk *chunk, int buffer, uint32_t index) {
  uint32_t value;
  memcpy(&value, chunk->buffers[buffer].ptr + (size_t)index * 4, 4);
  return value;
}

/* Value `index` of a column of texts or bytes; `bytes` follows `offsets`. Empty where the column is
 * not there. */
static struct pubsub_view text_at(const struct pubsub_chunk *chunk, int offsets, int bytes,
                                  uint32_t index) {
  if (!(chunk->columns & pubsub_buffer_column(offsets))) return (struct pubsub_view){0};
  uint32_t begin = read_u32(chunk, offsets, index), end = read_u32(chunk, offsets, index + 1);
  return pubsub_view_of(chunk->buffers[bytes].ptr + begin, end - begin);
}

struct row {
  struct pubsub_received received;
  struct pubsub_attribute *attributes;
  size_t attribute_cap;
};

static enum pubsub_status read_attributes(const struct pubsub_chunk *chunk, uint32_t index,
                                          struct row *row) {
  row->received.attribute_count = 0;
  if (!(chunk->columns & PUBSUB_COLUMN_ATTRIBUTES)) return PUBSUB_OK;
  uint32_t begin = read_u32(chunk, PUBSUB_BUFFER_ATTRIBUTES_OFFSETS, index);
  uint32_t count = read_u32(chunk, PUBSUB_BUFFER_ATTRIBUTES_OFFSETS, index + 1) - begin;
  if (count > row->attribute_cap) {
    void *attributes = pubsub_realloc(row->attributes, count * sizeof *row->attributes);
    if (!attributes) return PUBSUB_E_NOMEM;
    row->attributes = attributes;
    row->attribute_cap = count;
  }
  for (uint32_t i = 0; i < count; i++) {
    row->attributes[i].key =
        text_at(chunk, PUBSUB_BUFFER_KEY_OFFSETS, PUBSUB_BUFFER_KEY_BYTES, begin + i);
    row->attributes[i].value =
        text_at(chunk, PUBSUB_BUFFER_VALUE_OFFSETS, PUBSUB_BUFFER_VALUE_BYTES, begin + i);
  }
  row->received.attributes = row->attributes;
  row->received.attribute_count = count;
  return PUBSUB_OK;
}

static enum pubsub_status read_row(const struct pubsub_chunk *chunk,
                                   const struct pubsub_ack_ids *ids, uint32_t index,
                                   struct row *row) {
  struct pubsub_received *received = &row->received;
  received->ack_id = pubsub_ack_ids_at(ids, index);
  received->message_id =
      text_at(chunk, PUBSUB_BUFFER_MESSAGE_ID_OFFSETS, PUBSUB_BUFFER_MESSAGE_ID_BYTES, index);
  received->data = text_at(chunk, PUBSUB_BUFFER_DATA_OFFSETS, PUBSUB_BUFFER_DATA_BYTES, index);
  received->ordering_key =
      text_at(chunk, PUBSUB_BUFFER_ORDERING_KEY_OFFSETS, PUBSUB_BUFFER_ORDERING_KEY_BYTES, index);
  received->publish_time_us = chunk->oldest_publish_us; /* at least, where there is no column */
  if (chunk->columns & PUBSUB_COLUMN_PUBLISH_TIME) {
    memcpy(&received->publish_time_us,
           chunk->buffers[PUBSUB_BUFFER_PUBLISH_TIME].ptr + (size_t)index * 8, 8);
  }
  if (chunk->columns & PUBSUB_COLUMN_DELIVERY_ATTEMPT) {
    received->delivery_attempt = (int32_t)read_u32(chunk, PUBSUB_BUFFER_DELIVERY_ATTEMPT, index);
  }
  return read_attributes(chunk, index, row);
}

enum pubsub_status pubsub_chunk_drop_rows(const struct pubsub_chunk *chunk,
                                          const struct pubsub_ack_ids *ids, const uint8_t *drop,
                                          struct pubsub_chunk **out,
                                          struct pubsub_ack_ids *out_ids) {
  struct pubsub_builder *builder;
  struct row row = {0};
  enum pubsub_status status = pubsub_builder_new(chunk->blocks, chunk->columns, &builder);
  if (status != PUBSUB_OK) return status;
  for (uint32_t i = 0; i < (uint32_t)chunk->rows && status == PUBSUB_OK; i++) {
    if (drop[i]) continue;
    status = read_row(chunk, ids, i, &row);
    if (status == PUBSUB_OK) status = pubsub_builder_append(builder, &row.received);
  }
  if (status == PUBSUB_OK) status = pubsub_builder_seal(builder, out, out_ids);
  pubsub_builder_destroy(builder);
  pubsub_free(row.attributes);
  return status;
}
