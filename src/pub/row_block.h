/*
 * Reads the packed rows of pubsub_publisher_publish_block (layout in publisher.h). Pure; borrows
 * the block. Every length is checked against what is left of its row before the bytes behind it are
 * looked at.
 */
#ifndef PUBSUB_PUB_ROW_BLOCK_H
#define PUBSUB_PUB_ROW_BLOCK_H

#include "base/bytes.h"
#include "proto/publish_encoder.h"

struct pubsub_row_block {
  struct pubsub_view left;   /* rows not read yet */
  struct pubsub_message row; /* the last row read; points into the block and into `attributes` */
  struct pubsub_attribute attributes[PUBSUB_PUBLISH_MAX_ATTRIBUTES];
};

void pubsub_row_block_init(struct pubsub_row_block *block, struct pubsub_view rows);
/* Reads the next row into block->row. Errors: INVALID (malformed: nothing more can be read), LIMIT
 * (too many attributes, a null attribute value). The text does not name the row: the caller
 * does. */
enum pubsub_status pubsub_row_block_next(struct pubsub_row_block *block,
                                         struct pubsub_error *error);
/* Nothing is left: the only place where a block may end. */
bool pubsub_row_block_at_end(const struct pubsub_row_block *block);

#endif
