#include "support.h"

#include "json/printer.h"
#include <math.h>

#define CHECK(call, expected)                                                                      \
  do {                                                                                             \
    struct pubsub_buf out = {0};                                                                   \
    assert_int_equal(call, PUBSUB_OK);                                                             \
    assert_int_equal(out.len, strlen(expected));                                                   \
    assert_memory_equal(out.ptr, expected, out.len);                                               \
    pubsub_buf_clear(&out);                                                                        \
  } while (0)

static void strings(void **state) {
  (void)state;
  CHECK(json_print_string(&out, pubsub_view_str("")), "\"\"");
  CHECK(json_print_string(&out, pubsub_view_str("a\"\\\n\t\x01z")), "\"a\\\"\\\\\\n\\t\\u0001z\"");
  CHECK(json_print_string(&out, pubsub_view_of("\0", 1)), "\"\\u0000\"");
  CHECK(json_print_string(&out, pubsub_view_str("</script>")), "\"\\u003c/script\\u003e\"");
  CHECK(json_print_string(&out, pubsub_view_str("é€\xf0\x9f\x98\x80")), "\"é€\xf0\x9f\x98\x80\"");
}

static void what_is_not_utf8(void **state) {
  (void)state;
  CHECK(json_print_string(&out, pubsub_view_str("\xff!\xc3")), "\"\\ufffd!\\ufffd\"");
  CHECK(json_print_string(&out, pubsub_view_str("\xed\xa0\x80")), "\"\\ufffd\\ufffd\\ufffd\"");
}

static void bytes(void **state) {
  (void)state;
  CHECK(json_print_base64(&out, pubsub_view_of("hello", 5)), "\"aGVsbG8=\"");
  CHECK(json_print_base64(&out, pubsub_view_of("\xff\xef", 2)), "\"/+8=\"");
  CHECK(json_print_base64(&out, pubsub_view_of("", 0)), "\"\"");
}

static void numbers(void **state) {
  (void)state;
  CHECK(json_print_integer(&out, INT64_MIN), "-9223372036854775808");
  CHECK(json_print_double(&out, 0.1), "0.1");
  CHECK(json_print_double(&out, 1e300), "1e+300");
  CHECK(json_print_double(&out, 1.0 / 3), "0.3333333333333333");
  CHECK(json_print_double(&out, NAN), "\"NaN\"");
  CHECK(json_print_double(&out, -INFINITY), "\"-Infinity\"");
}

static void names(void **state) {
  (void)state;
  CHECK(json_print_name(&out, "ack_deadline_seconds"), "\"ackDeadlineSeconds\":");
  CHECK(json_print_name(&out, "name"), "\"name\":");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(strings), cmocka_unit_test(what_is_not_utf8),
                                     cmocka_unit_test(bytes), cmocka_unit_test(numbers),
                                     cmocka_unit_test(names)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
