/* Columns: rows that are appended, cut back, and taken out of the middle, against a plain model. */
#include "support.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "payload/column.h"
#include <stdio.h>
#include <stdlib.h>

#define ROWS 3000

static struct pubsub_schema schema;
static struct pubsub_column column;

static void open(const char *ddl) {
  assert_int_equal(pubsub_schema_parse(pubsub_view_str(ddl), &schema, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_column_init(&column, &schema), PUBSUB_OK);
}

static void close(void) {
  pubsub_column_clear(&column);
  pubsub_schema_clear(&schema);
}

/* Row `number` of ARRAY<STRING>: number % 4 texts, null where it is 3; of BOOLEAN: odd or not. */
static void append(int number) {
  struct pubsub_column *list = &column.children[0], *flag = &column.children[1];
  uint8_t odd = number & 1;
  char text[16];
  for (int i = 0; i < number % 4 && number % 4 < 3; i++) {
    int len = snprintf(text, sizeof text, "%d.%d", number, i);
    assert_int_equal(
        pubsub_column_append_bytes(&list->children[0], pubsub_view_of(text, (size_t)len)),
        PUBSUB_OK);
  }
  assert_int_equal(number % 4 < 3 ? pubsub_column_append_nested(list, true)
                                  : pubsub_column_append_null(list),
                   PUBSUB_OK);
  assert_int_equal(pubsub_column_append_value(flag, &odd), PUBSUB_OK);
  assert_int_equal(pubsub_column_append_nested(&column, number % 5 != 0), PUBSUB_OK);
}

static void check(const int *numbers, int count) {
  const struct pubsub_column *list = &column.children[0], *texts = &list->children[0];
  int nulls = 0, list_nulls = 0;
  assert_int_equal(column.rows, count);
  for (int row = 0; row < count; row++) {
    int number = numbers[row], length = number % 4 < 3 ? number % 4 : 0;
    assert_int_equal(list->offsets[row + 1] - list->offsets[row], length);
    assert_int_equal(pubsub_column_is_valid(list, row), number % 4 < 3);
    assert_int_equal(pubsub_column_is_valid(&column, row), number % 5 != 0);
    assert_int_equal(column.children[1].data[row >> 3] >> (row & 7) & 1, number & 1);
    for (int i = 0; i < length; i++) {
      char text[16];
      int32_t at = texts->offsets[list->offsets[row] + i];
      snprintf(text, sizeof text, "%d.%d", number, i);
      assert_memory_equal(texts->data + at, text, strlen(text));
    }
    nulls += number % 5 == 0;
    list_nulls += number % 4 == 3;
  }
  assert_int_equal(column.nulls, nulls);
  assert_int_equal(list->nulls, list_nulls);
}

static void rows_can_be_undone_anywhere(void **state) {
  static int numbers[ROWS];
  struct pubsub_rng rng;
  int count = 0;
  (void)state;
  pubsub_rng_seed(&rng, 7);
  open("a ARRAY<STRING>, b BOOLEAN");
  for (int number = 0; number < ROWS; number++) {
    append(number);
    numbers[count++] = number;
    uint64_t dice = pubsub_rng_next(&rng) % 100;
    if (dice < 10) {
      int from = (int)(pubsub_rng_next(&rng) % (uint64_t)count);
      int to = from + (int)(pubsub_rng_next(&rng) % (uint64_t)(count - from + 1));
      if (to - from > 20) to = from + 20;
      pubsub_column_erase(&column, from, to);
      memmove(numbers + from, numbers + to, (size_t)(count - to) * sizeof *numbers);
      count -= to - from;
    } else if (dice < 15 && count > 3) {
      count -= 3;
      pubsub_column_truncate(&column, count);
    }
    if (number % 50 == 0) check(numbers, count);
  }
  check(numbers, count);
  pubsub_column_truncate(&column, 0);
  assert_int_equal(column.children[0].children[0].rows, 0);
  close();
}

static void a_null_struct_has_null_children(void **state) {
  (void)state;
  open("a STRUCT<x: DECIMAL(20,2), y: MAP<STRING, INT>>");
  assert_int_equal(pubsub_column_append_null(&column), PUBSUB_OK);
  assert_int_equal(column.children[0].rows, 1);
  assert_int_equal(column.children[0].children[0].nulls, 1);
  assert_int_equal(column.children[0].children[1].offsets[1], 0);
  close();
}

static void no_memory_is_a_status(void **state) {
  (void)state;
  open("a STRUCT<x: INT, y: STRING>");
  for (uint64_t i = 1; i < 8; i++) {
    pubsub_alloc_fail_after(i);
    enum pubsub_status status = pubsub_column_append_null(&column);
    pubsub_alloc_fail_after(0);
    if (status == PUBSUB_OK) break;
    assert_int_equal(status, PUBSUB_E_NOMEM);
    assert_int_equal(column.rows, 0);
    assert_int_equal(column.children[0].children[0].rows, 0);
  }
  assert_int_equal(column.rows, 1);
  close();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(rows_can_be_undone_anywhere, no_leaks),
      cmocka_unit_test_teardown(a_null_struct_has_null_children, no_leaks),
      cmocka_unit_test_teardown(no_memory_is_a_status, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
