/*
 * The one door to the heap: counted, so that leaks show as a number, and breakable, so that tests
 * can fail the i-th allocation. Never aborts. Thread-safe.
 */
#ifndef PUBSUB_BASE_ALLOC_H
#define PUBSUB_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

void *pubsub_alloc(size_t bytes);                    /* uninitialised; NULL when out of memory */
void *pubsub_alloc_zero(size_t count, size_t bytes); /* overflow-checked */
void *pubsub_realloc(void *ptr, size_t bytes); /* as realloc; the old block stays on failure */
void pubsub_free(void *ptr);                   /* NULL is allowed */

/* Blocks for bulk data: start 128 bytes after a page boundary (source and destination of a large
 * copy that differ by a few bytes modulo 4096 run at a tenth of the speed). Free with
 * pubsub_free_bulk. */
void *pubsub_alloc_bulk(size_t bytes);
void pubsub_free_bulk(void *ptr, size_t bytes);

uint64_t pubsub_alloc_live(void); /* blocks held now, both kinds */
/* Tests only: the countdown-th allocation from now fails (1 = the next); 0 switches it off. */
void pubsub_alloc_fail_after(uint64_t countdown);

#endif
