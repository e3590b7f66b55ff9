/* Received rows that tests of src/batch fill builders with: number i is known by its text, every
 * third kind of a row takes its turn. */
#ifndef TEST_ROWS_H
#define TEST_ROWS_H

#include "batch/builder.h"

#define ROW_TEXT_BYTES 64
#define ROW_ATTRIBUTES 2

/* Row i: ids and data are its number (every fifth has no data), i % 3 attributes (the second with
 * bytes that are no UTF-8), every third an ordering key, every other a delivery attempt. Views into
 * `text` and `attributes`. */
struct pubsub_received row_of(int i, char text[ROW_TEXT_BYTES],
                              struct pubsub_attribute attributes[ROW_ATTRIBUTES]);
/* Appends rows 0 … count - 1; the first status that is not OK ends it. */
enum pubsub_status rows_append(struct pubsub_builder *builder, int count);
/* A chunk of rows 0 … count - 1, with its ack ids; asserts that it comes to be. */
struct pubsub_chunk *rows_chunk(struct pubsub_blocks *blocks, uint32_t columns, int count,
                                struct pubsub_ack_ids *out_ack_ids);

#endif
