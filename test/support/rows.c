#include "rows.h"

#include "support.h"

#include <stdio.h>

struct pubsub_received row_of(int i, char text[ROW_TEXT_BYTES],
                              struct pubsub_attribute attributes[ROW_ATTRIBUTES]) {
  snprintf(text, ROW_TEXT_BYTES, "%d", i);
  attributes[0] = (struct pubsub_attribute){pubsub_view_str("k"), pubsub_view_str(text)};
  attributes[1] = (struct pubsub_attribute){pubsub_view_str("bad"), pubsub_view_of("\xff", 1)};
  return (struct pubsub_received){.ack_id = pubsub_view_str(text),
                                  .message_id = pubsub_view_str(text),
                                  .data = pubsub_view_of(text, i % 5 ? strlen(text) : 0),
                                  .ordering_key = pubsub_view_str(i % 3 ? "" : text),
                                  .attributes = attributes,
                                  .attribute_count = (size_t)(i % 3),
                                  .publish_time_us = i * 1000,
                                  .delivery_attempt = i % 2};
}

enum pubsub_status rows_append(struct pubsub_builder *builder, int count) {
  enum pubsub_status status = PUBSUB_OK;
  for (int i = 0; i < count && status == PUBSUB_OK; i++) {
    char text[ROW_TEXT_BYTES];
    struct pubsub_attribute attributes[ROW_ATTRIBUTES];
    struct pubsub_received row = row_of(i, text, attributes);
    status = pubsub_builder_append(builder, &row);
  }
  return status;
}

struct pubsub_chunk *rows_chunk(struct pubsub_blocks *blocks, uint32_t columns, int count,
                                struct pubsub_ack_ids *out_ack_ids) {
  struct pubsub_builder *builder;
  struct pubsub_chunk *chunk;
  assert_int_equal(pubsub_builder_new(blocks, columns, &builder), PUBSUB_OK);
  assert_int_equal(rows_append(builder, count), PUBSUB_OK);
  assert_int_equal(pubsub_builder_seal(builder, &chunk, out_ack_ids), PUBSUB_OK);
  pubsub_builder_destroy(builder);
  return chunk;
}
