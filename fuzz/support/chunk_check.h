/*
 * What is true of every chunk, however it came about: Arrow's rules for its buffers, as a reader
 * relies on them without looking. Checked by the targets that make chunks and by the one that
 * unpacks them.
 */
#ifndef FUZZ_SUPPORT_CHUNK_CHECK_H
#define FUZZ_SUPPORT_CHUNK_CHECK_H

#include "base/bytes.h"
#include <pubsub/chunk.h>

/* Offsets, lengths, UTF-8, counts of nulls; then out and in again: pack and unpack, export and
 * release. */
void chunk_check(struct pubsub_chunk *chunk);
/* Value `row` of a column of texts or bytes. */
struct pubsub_view chunk_text(const struct pubsub_chunk_view *view, int offsets, int bytes,
                              uint32_t row);
int32_t chunk_i32(const struct pubsub_chunk_view *view, int buffer, uint32_t index);
/* Whether a value is there; buffers without a bitmap have all of them. */
bool chunk_valid(const struct pubsub_chunk_view *view, int validity, uint32_t row);

#endif
