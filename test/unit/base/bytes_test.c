#include "support.h"

#include "base/alloc.h"
#include "base/bytes.h"

static void views_are_compared_by_content(void **state) {
  (void)state;
  assert_true(pubsub_view_equal(pubsub_view_str("abc"), pubsub_view_of("abcd", 3)));
  assert_false(pubsub_view_equal(pubsub_view_str("abc"), pubsub_view_str("abd")));
  assert_false(pubsub_view_equal(pubsub_view_str("abc"), pubsub_view_str("ab")));
  assert_true(pubsub_view_equal(pubsub_view_of(NULL, 0), pubsub_view_str("")));
}

static void a_buffer_keeps_what_was_appended(void **state) {
  struct pubsub_buf buf = {0};
  (void)state;
  for (int i = 0; i < 1000; i++) {
    assert_int_equal(pubsub_buf_append(&buf, "0123456", (size_t)(i % 8)), PUBSUB_OK);
  }
  assert_int_equal(buf.len, 3500);
  for (size_t i = 0, at = 0; i < 1000; at += i++ % 8) {
    assert_memory_equal(buf.ptr + at, "0123456", i % 8);
  }
  pubsub_buf_clear(&buf);
  assert_null(buf.ptr);
  assert_int_equal(buf.len + buf.cap, 0);
}

static void a_buffer_without_memory_is_unchanged(void **state) {
  struct pubsub_buf buf = {0};
  (void)state;
  assert_int_equal(pubsub_buf_append(&buf, "x", 1), PUBSUB_OK);
  struct pubsub_buf before = buf;
  assert_int_equal(pubsub_buf_reserve(&buf, SIZE_MAX), PUBSUB_E_NOMEM);
  assert_int_equal(pubsub_buf_reserve(&buf, SIZE_MAX / 2), PUBSUB_E_NOMEM);
  pubsub_alloc_fail_after(1);
  assert_int_equal(pubsub_buf_reserve(&buf, 1000), PUBSUB_E_NOMEM);
  pubsub_alloc_fail_after(0);
  assert_memory_equal(&buf, &before, sizeof buf);
  pubsub_buf_clear(&buf);
}

static void a_segment_takes_the_buffers_memory(void **state) {
  struct pubsub_buf buf = {0};
  (void)state;
  assert_int_equal(pubsub_buf_append(&buf, "abc", 3), PUBSUB_OK);
  struct pubsub_segment segment = pubsub_segment_from_buf(&buf);
  assert_null(buf.ptr);
  assert_int_equal(segment.len, 3);
  assert_memory_equal(segment.ptr, "abc", 3);
  segment.release(segment.owner); /* no_leaks() sees whether it was all */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(views_are_compared_by_content),
      cmocka_unit_test_teardown(a_buffer_keeps_what_was_appended, no_leaks),
      cmocka_unit_test_teardown(a_buffer_without_memory_is_unchanged, no_leaks),
      cmocka_unit_test_teardown(a_segment_takes_the_buffers_memory, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
