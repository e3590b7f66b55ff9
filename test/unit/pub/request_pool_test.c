#include "support.h"

#include "base/alloc.h"
#include "pub/request_pool.h"

static void a_standard_block_is_used_again(void **state) {
  struct pubsub_request_pool *pool;
  size_t cap;
  (void)state;
  assert_int_equal(pubsub_request_pool_new(100000, 1, &pool), PUBSUB_OK);
  uint8_t *first = pubsub_request_pool_take(pool, 90000, &cap);
  assert_int_equal(cap, 100000);
  uint8_t *second = pubsub_request_pool_take(pool, 100000, &cap);
  pubsub_request_pool_give(pool, first, cap);
  uint64_t held = pubsub_alloc_live();
  pubsub_request_pool_give(pool, second, cap); /* one is kept already: this one is freed */
  assert_int_equal(pubsub_alloc_live(), held - 1);
  assert_ptr_equal(pubsub_request_pool_take(pool, 60000, &cap), first);
  pubsub_request_pool_give(pool, first, cap);
  pubsub_request_pool_close(pool);
}

static void blocks_are_as_large_as_asked_for(void **state) {
  static const size_t asked[] = {1, 512, 513, 40000, 100000, 100001, 5000000};
  static const size_t caps[] = {512, 512, 1024, 100000, 100000, 100001, 5000000};
  struct pubsub_request_pool *pool;
  size_t cap;
  (void)state;
  assert_int_equal(pubsub_request_pool_new(100000, 4, &pool), PUBSUB_OK);
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    uint8_t *block = pubsub_request_pool_take(pool, asked[i], &cap);
    assert_int_equal(cap, caps[i]);
    memset(block, 7, cap);
    pubsub_request_pool_give(pool, block, cap);
  }
  pubsub_request_pool_close(pool);
}

static void the_pool_outlives_its_publisher(void **state) {
  struct pubsub_request_pool *pool;
  size_t cap;
  (void)state;
  assert_int_equal(pubsub_request_pool_new(100000, 4, &pool), PUBSUB_OK);
  uint8_t *block = pubsub_request_pool_take(pool, 100000, &cap);
  pubsub_request_pool_close(pool);
  memset(block, 7, cap);
  pubsub_request_pool_give(pool, block, cap); /* frees the pool too: the teardown looks */
}

static void without_memory_there_is_none(void **state) {
  struct pubsub_request_pool *pool;
  size_t cap;
  (void)state;
  pubsub_alloc_fail_after(1);
  assert_int_equal(pubsub_request_pool_new(100000, 4, &pool), PUBSUB_E_NOMEM);
  assert_int_equal(pubsub_request_pool_new(100000, 4, &pool), PUBSUB_OK);
  pubsub_alloc_fail_after(1);
  assert_null(pubsub_request_pool_take(pool, 10, &cap));
  pubsub_request_pool_close(pool);
}

#define TEST(name) cmocka_unit_test_teardown(name, no_leaks)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_standard_block_is_used_again), TEST(blocks_are_as_large_as_asked_for),
      TEST(the_pool_outlives_its_publisher), TEST(without_memory_there_is_none)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
