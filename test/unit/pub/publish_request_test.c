#include "support.h"

#include "base/alloc.h"
#include "pub/publish_request.h"

#define HEAD pubsub_view_str("the topic")
#define NO_KEY ((struct pubsub_view){0})

static struct pubsub_request_pool *pool;

static int set_up(void **state) {
  (void)state;
  return pubsub_request_pool_new(4096, 4, &pool) == PUBSUB_OK ? 0 : -1;
}

static int tear_down(void **state) {
  pubsub_request_pool_close(pool);
  return no_leaks(state);
}

static void it_begins_with_its_head_and_grows(void **state) {
  struct pubsub_publish_request *request = pubsub_publish_request_new(pool, HEAD, 0, NO_KEY);
  (void)state;
  assert_int_equal(request->len, HEAD.len);
  assert_memory_equal(request->bytes, HEAD.ptr, HEAD.len);
  assert_int_equal(pubsub_publish_request_reserve(request, 100000), PUBSUB_OK);
  assert_true(request->cap >= HEAD.len + 100000);
  assert_memory_equal(request->bytes, HEAD.ptr, HEAD.len);
  pubsub_publish_request_unref(request);
}

static void its_key_is_a_copy(void **state) {
  char key[] = "key";
  struct pubsub_publish_request *request =
      pubsub_publish_request_new(pool, HEAD, 10, pubsub_view_str(key));
  (void)state;
  key[0] = 'x';
  assert_true(pubsub_view_equal(request->order.key, pubsub_view_str("key")));
  pubsub_publish_request_unref(request);
}

static void numbers_in_a_row_take_no_memory(void **state) {
  struct pubsub_publish_request *request = pubsub_publish_request_new(pool, HEAD, 10, NO_KEY);
  (void)state;
  for (uint64_t i = 0; i < 5; i++) {
    assert_int_equal(pubsub_publish_request_note_number(request, 7 + i, 1000), PUBSUB_OK);
    request->batch.messages++;
  }
  assert_null(request->numbers);
  assert_int_equal(pubsub_publish_request_number(request, 4), 11);
  pubsub_publish_request_unref(request);
}

static void numbers_with_a_gap_are_kept(void **state) {
  static const uint64_t numbers[] = {3, 4, 9, 10, 20};
  struct pubsub_publish_request *request = pubsub_publish_request_new(pool, HEAD, 10, NO_KEY);
  (void)state;
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(pubsub_publish_request_note_number(request, numbers[i], 5), PUBSUB_OK);
    request->batch.messages++;
  }
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(pubsub_publish_request_number(request, i), numbers[i]);
  pubsub_publish_request_unref(request);
}

static void a_segment_keeps_it_alive(void **state) {
  struct pubsub_publish_request *request = pubsub_publish_request_new(pool, HEAD, 10, NO_KEY);
  struct pubsub_segment segment = pubsub_publish_request_segment(request);
  (void)state;
  pubsub_publish_request_unref(request);
  assert_memory_equal(segment.ptr, HEAD.ptr, HEAD.len);
  segment.release(segment.owner);
}

static void it_is_packed_once_where_that_saves(void **state) {
  struct pubsub_publish_request *request = pubsub_publish_request_new(pool, HEAD, 3000, NO_KEY);
  (void)state;
  pubsub_publish_request_pack(request);
  assert_null(request->packed); /* too small */
  memset(request->bytes + request->len, 'x', 3000);
  request->len += 3000;
  pubsub_publish_request_pack(request);
  assert_true(request->packed_len > 0 && request->packed_len < 1000);
  uint8_t *packed = request->packed;
  pubsub_publish_request_pack(request);
  assert_ptr_equal(request->packed, packed);
  struct pubsub_segment segment = pubsub_publish_request_segment(request);
  assert_ptr_equal(segment.ptr, packed);
  segment.release(segment.owner);
  pubsub_publish_request_unref(request);
}

static void without_memory_nothing_is_changed(void **state) {
  (void)state;
  for (uint64_t nth = 1; nth <= 3; nth++) {
    pubsub_alloc_fail_after(nth);
    assert_null(pubsub_publish_request_new(pool, HEAD, 10, pubsub_view_str("key")));
  }
  struct pubsub_publish_request *request = pubsub_publish_request_new(pool, HEAD, 10, NO_KEY);
  size_t cap = request->cap;
  pubsub_alloc_fail_after(1);
  assert_int_equal(pubsub_publish_request_reserve(request, 100000), PUBSUB_E_NOMEM);
  assert_int_equal(request->cap, cap);
  pubsub_publish_request_note_number(request, 1, 10);
  request->batch.messages++;
  pubsub_alloc_fail_after(1);
  assert_int_equal(pubsub_publish_request_note_number(request, 5, 10), PUBSUB_E_NOMEM);
  pubsub_publish_request_unref(request);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(it_begins_with_its_head_and_grows), TEST(its_key_is_a_copy),
      TEST(numbers_in_a_row_take_no_memory),   TEST(numbers_with_a_gap_are_kept),
      TEST(a_segment_keeps_it_alive),          TEST(it_is_packed_once_where_that_saves),
      TEST(without_memory_nothing_is_changed)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
