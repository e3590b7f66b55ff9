/*
 * A pool of column buffers in four sizes for each power of two, and the byte count of the reservoir's budget. Shared by the slots of a
 * subscriber and by the chunks that left it; reference-counted. Thread-safe.
 */
#ifndef PUBSUB_BATCH_POOL_H
#define PUBSUB_BATCH_POOL_H

#include <pubsub/error.h>
#include <stddef.h>
#include <stdint.h>

struct pubsub_pool;
/* budget_bytes bounds what the pool keeps for reuse (free blocks are returned to the system above it); it does
 * not refuse allocations: back-pressure is the subscriber's. */
enum pubsub_status pubsub_pool_new(uint64_t budget_bytes, struct pubsub_pool **out);
struct pubsub_pool *pubsub_pool_ref(struct pubsub_pool *pool);
void pubsub_pool_unref(struct pubsub_pool *pool);
/* A block of at least `bytes`; *out_capacity says how much. NULL: out of memory. */
uint8_t *pubsub_pool_get(struct pubsub_pool *pool, size_t bytes, size_t *out_capacity);
void pubsub_pool_put(struct pubsub_pool *pool, uint8_t *block, size_t capacity);
uint64_t pubsub_pool_used_bytes(struct pubsub_pool *pool); /* handed out now (capacities) */
uint64_t pubsub_pool_held_bytes(struct pubsub_pool *pool); /* handed out + kept for reuse */
uint64_t pubsub_pool_peak_bytes(struct pubsub_pool *pool); /* highest held */

#endif
