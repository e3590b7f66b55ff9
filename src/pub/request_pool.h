/*
 * The pool of blocks that Publish requests are encoded into. It keeps the standard blocks of
 * finished requests for the next ones: a fresh megabyte costs more in page faults than encoding
 * into it does.
 *
 * Any thread: the pool has its own mutex. It outlives its publisher until the last block has come
 * back, as the transport may hold a request's bytes after its call was cancelled.
 */
#ifndef PUBSUB_PUB_REQUEST_POOL_H
#define PUBSUB_PUB_REQUEST_POOL_H

#include "base/bytes.h"

struct pubsub_request_pool;

/* Standard blocks have room for standard_bytes; at most max_kept of them are kept. Errors:
 * NOMEM. */
enum pubsub_status pubsub_request_pool_new(size_t standard_bytes, size_t max_kept,
                                           struct pubsub_request_pool **out);
/* The publisher is done: frees what is kept, and the rest when the last block comes back. NULL is
 * allowed. */
void pubsub_request_pool_close(struct pubsub_request_pool *pool);

/* A block of *out_cap >= bytes bytes, uninitialised, to be given back. NULL: no memory. */
uint8_t *pubsub_request_pool_take(struct pubsub_request_pool *pool, size_t bytes, size_t *out_cap);
/* A block comes back, with its cap; it may free the pool. */
void pubsub_request_pool_give(struct pubsub_request_pool *pool, uint8_t *take_block, size_t cap);

#endif
