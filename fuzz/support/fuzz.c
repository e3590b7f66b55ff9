#include "support/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

void fuzz_check(bool holds, const char *what, const char *file, int line) {
  if (holds) return;
  fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
  abort();
}

uint8_t fuzz_u8(struct fuzz_input *input) {
  if (input->left == 0) return 0;
  input->left--;
  return *input->ptr++;
}

uint32_t fuzz_u32(struct fuzz_input *input) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++)
    value |= (uint32_t)fuzz_u8(input) << 8 * i;
  return value;
}

struct pubsub_view fuzz_bytes(struct fuzz_input *input, size_t len) {
  if (len > input->left) len = input->left;
  struct pubsub_view view = pubsub_view_of(input->ptr, len);
  if (len > 0) input->ptr += len;
  input->left -= len;
  return view;
}

struct pubsub_view fuzz_rest(struct fuzz_input *input) {
  return fuzz_bytes(input, input->left);
}

void *fuzz_alloc(size_t bytes) {
  void *block = malloc(bytes);
  FUZZ_CHECK(block || bytes == 0);
  return block;
}

uint8_t *fuzz_copy(struct pubsub_view view) {
  uint8_t *copy = fuzz_alloc(view.len ? view.len : 1);
  if (view.len > 0) memcpy(copy, view.ptr, view.len);
  return copy;
}

char *fuzz_text(struct pubsub_view view) {
  char *text = fuzz_alloc(view.len + 1);
  if (view.len > 0) memcpy(text, view.ptr, view.len);
  text[view.len] = '\0';
  return text;
}

size_t fuzz_split(struct fuzz_input *input, uint8_t mode, size_t left) {
  size_t most = mode == 0 ? left : mode == 1 ? 1 : (size_t)fuzz_u8(input) * mode + 1;
  return most < left ? most : left;
}
