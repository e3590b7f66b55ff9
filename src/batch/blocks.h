/*
 * A store of column buffers in four sizes for each power of two, and the byte count of the
 * reservoir's budget. Shared by the slots of a subscriber and by the chunks that left it;
 * reference-counted. Thread-safe.
 */
#ifndef PUBSUB_BATCH_BLOCKS_H
#define PUBSUB_BATCH_BLOCKS_H

#include <pubsub/error.h>
#include <stddef.h>
#include <stdint.h>

struct pubsub_blocks;
/* budget_bytes bounds what the store keeps for reuse (free blocks are returned to the system above
 * it); it does not refuse allocations: back-pressure is the subscriber's. */
enum pubsub_status pubsub_blocks_new(uint64_t budget_bytes, struct pubsub_blocks **out);
struct pubsub_blocks *pubsub_blocks_ref(struct pubsub_blocks *blocks);
void pubsub_blocks_unref(struct pubsub_blocks *blocks);
/* A block of at least `bytes` and, where one is kept for reuse, less than twice that; *out_capacity
 * says how much. NULL: out of memory. */
uint8_t *pubsub_blocks_get(struct pubsub_blocks *blocks, size_t bytes, size_t *out_capacity);
void pubsub_blocks_put(struct pubsub_blocks *blocks, uint8_t *block, size_t capacity);
/* Handed out now (capacities). */
uint64_t pubsub_blocks_used_bytes(struct pubsub_blocks *blocks);
/* Highest of what was handed out and kept for reuse. */
uint64_t pubsub_blocks_peak_bytes(struct pubsub_blocks *blocks);

#endif
