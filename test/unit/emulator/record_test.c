#include "support.h"

#include "model/record.h"
#include <stdio.h>

static void events_are_kept_in_order(void **state) {
  struct record record = {.on = true};
  char line[700];
  (void)state;
  uint32_t name = record_name(&record, "projects/p/topics/abc");
  assert_int_equal(record_name(&record, "projects/p/topics/abc"), name);
  assert_int_not_equal(record_name(&record, "projects/p/topics/def"), name);
  for (uint32_t i = 0; i < 5000; i++)
    record_add(&record, i, RECORD_PUBLISH, name, i + 1, 100 + i);
  assert_int_equal(record.count, 5000);
  size_t len = record_line(&record, &record.events[7], line, sizeof line);
  assert_int_equal(len, strlen(line));
  assert_string_equal(line, "7,publish,projects/p/topics/abc,8,107\n");
  record_free(&record);
}

static void nothing_is_kept_while_it_is_off(void **state) {
  struct record record = {0};
  (void)state;
  record_add(&record, 1, RECORD_DELIVER, 0, 1, 1);
  assert_int_equal(record.count, 0);
  record.on = true;
  record_add(&record, 1, RECORD_FAULT, 0, 1, 14);
  char line[700];
  record_line(&record, &record.events[0], line, sizeof line);
  assert_string_equal(line, "1,fault,,1,14\n");
  record_clear(&record);
  assert_int_equal(record.count, 0);
  record_free(&record);
}

static void only_the_last_delivery_is_undone(void **state) {
  struct record record = {.on = true};
  (void)state;
  record_add(&record, 1, RECORD_DELIVER, 0, 5, 1);
  record_undo(&record, RECORD_DELIVER, 6);
  record_undo(&record, RECORD_NACK, 5);
  assert_int_equal(record.count, 1);
  record_undo(&record, RECORD_DELIVER, 5);
  assert_int_equal(record.count, 0);
  record_undo(&record, RECORD_DELIVER, 5);
  record_free(&record);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(events_are_kept_in_order),
      cmocka_unit_test(nothing_is_kept_while_it_is_off),
      cmocka_unit_test(only_the_last_delivery_is_undone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
