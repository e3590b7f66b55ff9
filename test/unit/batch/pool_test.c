/* Blocks: their sizes, what is counted, and what is kept for reuse. */
#include "support.h"

#include "batch/pool.h"

static void blocks_are_a_fifth_too_large_at_most(void **state) {
  struct pubsub_pool *pool;
  (void)state;
  assert_int_equal(pubsub_pool_new(0, &pool), PUBSUB_OK);
  for (size_t bytes = 1; bytes < (size_t)1 << 27; bytes += 1 + bytes / 7) {
    size_t capacity;
    uint8_t *block = pubsub_pool_get(pool, bytes, &capacity);
    assert_non_null(block);
    assert_true(capacity >= bytes && capacity % 128 == 0);
    assert_true(capacity <= 512 || capacity < bytes + bytes / 4 + 1);
    assert_int_equal(pubsub_pool_used_bytes(pool), capacity);
    pubsub_pool_put(pool, block, capacity);
    block = pubsub_pool_get(pool, capacity, &bytes); /* its own size is a size */
    assert_int_equal(bytes, capacity);
    pubsub_pool_put(pool, block, bytes);
  }
  assert_int_equal(pubsub_pool_used_bytes(pool), 0);
  pubsub_pool_unref(pool);
}

static void the_budget_bounds_what_is_kept(void **state) {
  struct pubsub_pool *pool;
  uint8_t *blocks[8];
  size_t capacity;
  (void)state;
  assert_int_equal(pubsub_pool_new(1 << 20, &pool), PUBSUB_OK);
  for (int turn = 0; turn < 3; turn++) {
    for (int i = 0; i < 8; i++)
      assert_non_null(blocks[i] = pubsub_pool_get(pool, (size_t)200000 << turn, &capacity));
    for (int i = 0; i < 8; i++)
      pubsub_pool_put(pool, blocks[i], capacity);
    assert_int_equal(pubsub_pool_used_bytes(pool), 0);
    assert_true(pubsub_pool_held_bytes(pool) <= 1 << 20);
  }
  assert_null(pubsub_pool_get(pool, SIZE_MAX / 4, &capacity));
  pubsub_pool_unref(pool);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(blocks_are_a_fifth_too_large_at_most, no_leaks),
      cmocka_unit_test_teardown(the_budget_bounds_what_is_kept, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
