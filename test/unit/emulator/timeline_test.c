#include "support.h"

#include "pages/timeline.h"

static void expect(const struct record *record, uint64_t from, size_t most, const char *expected) {
  struct pubsub_buf out = {0};
  assert_int_equal(timeline_print(&out, record, from, most), PUBSUB_OK);
  assert_int_equal(pubsub_buf_append(&out, "", 1), PUBSUB_OK);
  assert_string_equal((const char *)out.ptr, expected);
  pubsub_buf_clear(&out);
}

#define FIRST                                                                                      \
  "{\"timeUs\":\"5\",\"event\":\"publish\",\"resource\":\"t\",\"messageId\":\"7\",\"detail\":"     \
  "\"9\"}"
#define SECOND                                                                                     \
  "{\"timeUs\":\"6\",\"event\":\"nack\",\"resource\":\"t\",\"messageId\":\"7\",\"detail\":\"0\"}"

static void from_where_a_reader_is(void **state) {
  struct record record = {.on = true};
  (void)state;
  uint32_t name = record_name(&record, "t");
  expect(&record, 0, 9, "{\"next\":0,\"events\":[]}\n");
  record_add(&record, 5, RECORD_PUBLISH, name, 7, 9);
  record_add(&record, 6, RECORD_NACK, name, 7, 0);
  expect(&record, 0, 9, "{\"next\":2,\"events\":[" FIRST "," SECOND "]}\n");
  expect(&record, 1, 9, "{\"next\":2,\"events\":[" SECOND "]}\n");
  expect(&record, 2, 9, "{\"next\":2,\"events\":[]}\n");
  expect(&record, 99, 9, "{\"next\":2,\"events\":[]}\n");
  expect(&record, 0, 1, "{\"next\":2,\"events\":[" SECOND "]}\n");
  record_free(&record);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(from_where_a_reader_is)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
