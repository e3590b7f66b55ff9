/* Blocks: their sizes, what is counted, and what is kept for reuse. */
#include "support.h"

#include "batch/blocks.h"

static void blocks_are_a_fifth_too_large_at_most(void **state) {
  struct pubsub_blocks *blocks;
  (void)state;
  assert_int_equal(pubsub_blocks_new(0, &blocks), PUBSUB_OK);
  for (size_t bytes = 1; bytes < (size_t)1 << 27; bytes += 1 + bytes / 7) {
    size_t capacity;
    uint8_t *block = pubsub_blocks_get(blocks, bytes, &capacity);
    assert_non_null(block);
    assert_true(capacity >= bytes && capacity % 128 == 0);
    assert_true(capacity <= 512 || capacity < bytes + bytes / 4 + 1);
    assert_int_equal(pubsub_blocks_used_bytes(blocks), capacity);
    pubsub_blocks_put(blocks, block, capacity);
    block = pubsub_blocks_get(blocks, capacity, &bytes); /* its own size is a size */
    assert_int_equal(bytes, capacity);
    pubsub_blocks_put(blocks, block, bytes);
  }
  assert_int_equal(pubsub_blocks_used_bytes(blocks), 0);
  pubsub_blocks_unref(blocks);
}

static void the_budget_bounds_what_is_kept(void **state) {
  struct pubsub_blocks *blocks;
  uint8_t *taken[8];
  size_t capacity;
  (void)state;
  assert_int_equal(pubsub_blocks_new(1 << 20, &blocks), PUBSUB_OK);
  for (int turn = 0; turn < 3; turn++) {
    for (int i = 0; i < 8; i++)
      assert_non_null(taken[i] = pubsub_blocks_get(blocks, (size_t)200000 << turn, &capacity));
    for (int i = 0; i < 8; i++)
      pubsub_blocks_put(blocks, taken[i], capacity);
    assert_int_equal(pubsub_blocks_used_bytes(blocks), 0);
    assert_true(pubsub_blocks_peak_bytes(blocks) <= (uint64_t)8 * 262144 << turn);
  }
  assert_null(pubsub_blocks_get(blocks, SIZE_MAX / 4, &capacity));
  pubsub_blocks_unref(blocks);
}

static void a_kept_block_is_taken_before_fresh_memory(void **state) {
  struct pubsub_blocks *blocks;
  size_t kept, capacity;
  (void)state;
  assert_int_equal(pubsub_blocks_new(1 << 20, &blocks), PUBSUB_OK);
  uint8_t *block = pubsub_blocks_get(blocks, 7 << 16, &kept);
  pubsub_blocks_put(blocks, block, kept);
  assert_ptr_equal(pubsub_blocks_get(blocks, 4 << 16, &capacity), block);
  assert_int_equal(capacity, kept);
  assert_int_equal(pubsub_blocks_used_bytes(blocks), kept);
  pubsub_blocks_put(blocks, block, kept);
  uint8_t *half = pubsub_blocks_get(blocks, 7 << 15, &capacity); /* too much would be unused */
  assert_ptr_not_equal(half, block);
  assert_int_equal(capacity, 7 << 15);
  pubsub_blocks_put(blocks, half, capacity);
  pubsub_blocks_unref(blocks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(blocks_are_a_fifth_too_large_at_most, no_leaks),
      cmocka_unit_test_teardown(a_kept_block_is_taken_before_fresh_memory, no_leaks),
      cmocka_unit_test_teardown(the_budget_bounds_what_is_kept, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
