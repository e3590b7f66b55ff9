#include "support.h"

#include "pub/retry.h"
#include "pub/row_block.h"
#include <stdlib.h>

static void put_u32(struct pubsub_buf *out, uint32_t value) {
  uint8_t le[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                   (uint8_t)(value >> 24)};
  assert_int_equal(pubsub_buf_append(out, le, 4), PUBSUB_OK);
}

/* Blocks with any byte wrong, or cut anywhere, are refused or read, never read beyond. */
static void hostile_row_blocks(void **state) {
  struct pubsub_buf block = {0};
  struct pubsub_rng rng;
  struct pubsub_row_block *reader = malloc(sizeof *reader);
  (void)state;
  pubsub_rng_seed(&rng, 11);
  put_u32(&block, 4 + 3 + 4 + 1 + 4 + 4 + 1 + 4 + 2);
  put_u32(&block, 3);
  pubsub_buf_append(&block, "abc", 3);
  put_u32(&block, 1);
  pubsub_buf_append(&block, "o", 1);
  put_u32(&block, 1);
  put_u32(&block, 1);
  pubsub_buf_append(&block, "k", 1);
  put_u32(&block, 2);
  pubsub_buf_append(&block, "vv", 2);
  pubsub_row_block_init(reader, pubsub_view_of(block.ptr, block.len));
  assert_int_equal(pubsub_row_block_next(reader, NULL), PUBSUB_OK);
  assert_int_equal(reader->row.data.len, 3);
  assert_int_equal(reader->row.ordering_key.len, 1);
  assert_int_equal(reader->row.attributes[0].value.len, 2);
  assert_true(pubsub_row_block_at_end(reader));
  for (int turn = 0; turn < 5000; turn++) {
    size_t len = turn % 2 ? block.len : pubsub_rng_below(&rng, block.len);
    uint8_t *copy = malloc(len + 1);
    memcpy(copy, block.ptr, len);
    if (len > 0) copy[pubsub_rng_below(&rng, len)] ^= (uint8_t)(1 << pubsub_rng_below(&rng, 8));
    uint8_t *exact = malloc(len ? len : 1);
    memcpy(exact, copy, len);
    pubsub_row_block_init(reader, pubsub_view_of(exact, len));
    size_t bytes;
    if (pubsub_row_block_next(reader, NULL) == PUBSUB_OK)
      pubsub_publish_measure(&reader->row, &bytes, NULL);
    free(exact);
    free(copy);
  }
  free(reader);
  pubsub_buf_clear(&block);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(hostile_row_blocks, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
