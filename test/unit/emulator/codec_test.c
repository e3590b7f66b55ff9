#include "support.h"

#include "store/codec.h"

static void fields_come_back(void **state) {
  struct pubsub_buf out = {0};
  (void)state;
  assert_int_equal(pubsub_buf_reserve(&out, 200), PUBSUB_OK);
  entry_begin(&out, ENTRY_TOPIC);
  entry_number(&out, 0);
  entry_number(&out, UINT64_MAX);
  entry_bytes(&out, "text", 4);
  entry_bytes(&out, NULL, 0);
  struct entries entries = {out.ptr + 1, out.ptr + out.len, false};
  assert_int_equal(out.ptr[0], ENTRY_TOPIC);
  assert_int_equal(entries_number(&entries), 0);
  assert_true(entries_number(&entries) == UINT64_MAX);
  assert_true(pubsub_view_equal(entries_bytes(&entries), pubsub_view_str("text")));
  assert_int_equal(entries_bytes(&entries).len, 0);
  assert_false(entries.bad);
  assert_int_equal(entries_number(&entries), 0); /* there is no more */
  assert_true(entries.bad);
  pubsub_buf_clear(&out);
}

static void bytes_that_are_cut(void **state) {
  const uint8_t bytes[] = {5, 'a', 'b'};
  struct entries entries = {bytes, bytes + sizeof bytes, false};
  (void)state;
  assert_int_equal(entries_bytes(&entries).len, 0);
  assert_true(entries.bad);
}

static void messages_by_their_distance(void **state) {
  const struct content all[] = {
      {.id = 1000, .attempts = 3}, {.id = 1001}, {.id = 5, .retained = true}, {.id = 6}};
  struct pubsub_buf out = {0};
  uint64_t before = 0;
  (void)state;
  assert_int_equal(pubsub_buf_reserve(&out, 200), PUBSUB_OK);
  for (size_t i = 0; i < 4; i++) {
    entry_content(&out, before, &all[i]);
    before = all[i].id;
  }
  struct entries entries = {out.ptr, out.ptr + out.len, false};
  before = 0;
  for (size_t i = 0; i < 4; i++) {
    struct content content = entries_content(&entries, before);
    assert_int_equal(content.id, all[i].id);
    assert_int_equal(content.attempts, all[i].attempts);
    assert_int_equal(content.retained, all[i].retained);
    before = content.id;
  }
  assert_false(entries.bad);
  assert_ptr_equal(entries.ptr, entries.end);
  pubsub_buf_clear(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(fields_come_back, no_leaks), cmocka_unit_test(bytes_that_are_cut),
      cmocka_unit_test_teardown(messages_by_their_distance, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
