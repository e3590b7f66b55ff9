#include "base/alloc.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

static atomic_uint_fast64_t live_blocks;
static atomic_uint_fast64_t fail_countdown;

/* Large blocks come straight from the kernel so that freeing them gives the memory back at once. */
#define BULK_MAP_BYTES ((size_t)128 * 1024)
#define BULK_SHIFT ((size_t)128)

static bool must_fail(void) {
  uint_fast64_t left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
  if (left == 0) return false;
  while (!atomic_compare_exchange_weak(&fail_countdown, &left, left - 1)) {
    if (left == 0) return false;
  }
  return left == 1;
}

static void *counted(void *ptr) {
  if (ptr) atomic_fetch_add_explicit(&live_blocks, 1, memory_order_relaxed);
  return ptr;
}

void *pubsub_alloc(size_t bytes) {
  return must_fail() ? NULL : counted(malloc(bytes ? bytes : 1));
}

void *pubsub_alloc_zero(size_t count, size_t bytes) {
  return must_fail() ? NULL : counted(calloc(count ? count : 1, bytes ? bytes : 1));
}

void *pubsub_realloc(void *ptr, size_t bytes) {
  if (must_fail()) return NULL;
  void *moved = realloc(ptr, bytes ? bytes : 1);
  return ptr ? moved : counted(moved);
}

void pubsub_free(void *ptr) {
  if (!ptr) return;
  atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
  free(ptr);
}

void *pubsub_alloc_bulk(size_t bytes) {
  if (must_fail() || bytes > SIZE_MAX / 2) return NULL;
  if (bytes < BULK_MAP_BYTES) return counted(malloc(bytes ? bytes : 1));
  uint8_t *base =
      mmap(NULL, bytes + BULK_SHIFT, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return NULL;
  (void)madvise(base, bytes + BULK_SHIFT, MADV_HUGEPAGE); /* a fifth of receiving's CPU is faults */
  return counted(base + BULK_SHIFT);
}

void pubsub_free_bulk(void *ptr, size_t bytes) {
  if (!ptr) return;
  atomic_fetch_sub_explicit(&live_blocks, 1, memory_order_relaxed);
  if (bytes < BULK_MAP_BYTES) {
    free(ptr);
  } else {
    munmap((uint8_t *)ptr - BULK_SHIFT, bytes + BULK_SHIFT);
  }
}

uint64_t pubsub_alloc_live(void) {
  return atomic_load(&live_blocks);
}

void pubsub_alloc_fail_after(uint64_t countdown) {
  atomic_store(&fail_countdown, countdown);
}
