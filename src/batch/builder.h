/*
 * Builds a chunk: growing Arrow column buffers for the columns asked for, and the arena of ack ids.
 *
 * One thread at a time. Buffers come from a store (batch/blocks.h), so that steady state neither
 * allocates nor faults pages; their first capacities follow the previous chunk's sizes.
 */
#ifndef PUBSUB_BATCH_BUILDER_H
#define PUBSUB_BATCH_BUILDER_H

#include "batch/ack_ids.h"
#include "batch/blocks.h"
#include "proto/pull_decoder.h"
#include <pubsub/chunk.h>

struct pubsub_builder;
/* The store is shared and outlives builder and chunks (chunks hold a reference on it). */
enum pubsub_status pubsub_builder_new(struct pubsub_blocks *blocks, uint32_t columns,
                                      struct pubsub_builder **out);
void pubsub_builder_destroy(struct pubsub_builder *builder);

/* Appends one row; copies what the set of columns asks for, and the ack id. Unchanged on an error.
 * Errors: NOMEM, LIMIT (a column would pass 1.75 GiB: seal first). */
enum pubsub_status pubsub_builder_append(struct pubsub_builder *builder,
                                         const struct pubsub_received *message);
/* For pubsub_pull_sink.reserve_data. */
enum pubsub_status pubsub_builder_reserve_data(struct pubsub_builder *builder, size_t len,
                                               uint8_t **out);
/* The reserved payload does not come: nothing waits for it any more. */
void pubsub_builder_forget_reserved(struct pubsub_builder *builder);
uint32_t pubsub_builder_rows(const struct pubsub_builder *builder);
uint64_t pubsub_builder_bytes(const struct pubsub_builder *builder); /* used column bytes */

/* Seals what is there (rows > 0) into an immutable chunk with one reference, and the ack ids of its
 * rows; the builder is empty afterwards. A payload reserved but not appended stays with the
 * builder. Errors: NOMEM (nothing changed). */
enum pubsub_status pubsub_builder_seal(struct pubsub_builder *builder, struct pubsub_chunk **out,
                                       struct pubsub_ack_ids *out_ack_ids);

#endif
