#include "pub/row_block.h"
#include "base/error.h"

#define NULL_BYTES UINT32_MAX

static bool take_u32(struct pubsub_view *from, uint32_t *out) {
  if (from->len < 4) return false;
  *out = (uint32_t)from->ptr[0] | (uint32_t)from->ptr[1] << 8 | (uint32_t)from->ptr[2] << 16 |
         (uint32_t)from->ptr[3] << 24;
  *from = pubsub_view_of(from->ptr + 4, from->len - 4);
  return true;
}

static bool take_bytes(struct pubsub_view *from, uint32_t len, struct pubsub_view *out) {
  if (len > from->len) return false;
  *out = (struct pubsub_view){from->ptr, len};
  *from = pubsub_view_of(from->ptr + len, from->len - len);
  return true;
}

/* A length and that many bytes; null reads as empty and sets *out_null. */
static bool take_field(struct pubsub_view *from, struct pubsub_view *out, bool *out_null) {
  uint32_t len;
  if (!take_u32(from, &len)) return false;
  *out_null = len == NULL_BYTES;
  return take_bytes(from, *out_null ? 0 : len, out);
}

void pubsub_row_block_init(struct pubsub_row_block *block, struct pubsub_view rows) {
  block->left = rows;
  block->row = (struct pubsub_message){.attributes = block->attributes};
}

bool pubsub_row_block_at_end(const struct pubsub_row_block *block) {
  return block->left.len == 0;
}

enum pubsub_status pubsub_row_block_next(struct pubsub_row_block *block,
                                         struct pubsub_error *error) {
  uint32_t row_bytes, count;
  struct pubsub_view bytes;
  bool null;
  if (!take_u32(&block->left, &row_bytes) || !take_bytes(&block->left, row_bytes, &bytes))
    return pubsub_error_set(error, PUBSUB_E_INVALID, "the block of rows ends inside a row");
  struct pubsub_view row = bytes;
  struct pubsub_message *message = &block->row;
  if (!take_field(&row, &message->data, &null) ||
      !take_field(&row, &message->ordering_key, &null) || !take_u32(&row, &count))
    goto malformed;
  if (count > row.len / 8) goto malformed; /* each attribute has two lengths */
  if (count > PUBSUB_PUBLISH_MAX_ATTRIBUTES)
    return pubsub_error_set(error, PUBSUB_E_LIMIT,
                            "it has %u attributes; the service's limit is %u a message", count,
                            PUBSUB_PUBLISH_MAX_ATTRIBUTES);
  const struct pubsub_view *null_value = NULL; /* its key */
  for (uint32_t i = 0; i < count; i++) {
    struct pubsub_attribute *attribute = &block->attributes[i];
    if (!take_field(&row, &attribute->key, &null)) goto malformed;
    if (null)
      return pubsub_error_set(error, PUBSUB_E_LIMIT, "the key of one of its attributes is null");
    if (!take_field(&row, &attribute->value, &null)) goto malformed;
    if (null && !null_value) null_value = &attribute->key;
  }
  if (row.len > 0) goto malformed;
  message->attribute_count = count;
  if (null_value)
    return pubsub_error_set(error, PUBSUB_E_LIMIT,
                            "the value of attribute '%.*s' is null; the service takes only strings",
                            null_value->len > 60 ? 60 : (int)null_value->len,
                            (const char *)null_value->ptr);
  return PUBSUB_OK;

malformed:
  return pubsub_error_set(error, PUBSUB_E_INVALID,
                          "the lengths inside the row do not add up to its %u bytes", row_bytes);
}
