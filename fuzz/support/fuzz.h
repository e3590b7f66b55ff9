/*
 * What every fuzz target includes: the entry point that libFuzzer calls, a check that ends the run,
 * and a reader that turns the input into numbers and pieces. A reader that is at its end gives
 * zeros: any input is a good one.
 *
 * Pieces are copies of their exact size, so that reading past them is an error that the sanitizer
 * sees.
 */
#ifndef FUZZ_SUPPORT_FUZZ_H
#define FUZZ_SUPPORT_FUZZ_H

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A property of the code under test that does not hold: prints it and ends the process, which
 * libFuzzer takes for a crash. */
#define FUZZ_CHECK(condition) fuzz_check((condition), #condition, __FILE__, __LINE__)
void fuzz_check(bool holds, const char *what, const char *file, int line);

struct fuzz_input {
  const uint8_t *ptr;
  size_t left;
};
uint8_t fuzz_u8(struct fuzz_input *input);
uint32_t fuzz_u32(struct fuzz_input *input);
/* Up to `len` of the bytes that are left. Borrowed from the input. */
struct pubsub_view fuzz_bytes(struct fuzz_input *input, size_t len);
struct pubsub_view fuzz_rest(struct fuzz_input *input);

/* The caller's to free(). Never NULL. */
uint8_t *fuzz_copy(struct pubsub_view view);
char *fuzz_text(struct pubsub_view view); /* with a NUL at its end */
void *fuzz_alloc(size_t bytes);

/* Splits `left` bytes: the length of the next piece, at least 1. `mode` 0: whole; 1: a byte; else
 * up to a random part. */
size_t fuzz_split(struct fuzz_input *input, uint8_t mode, size_t left);

#endif
