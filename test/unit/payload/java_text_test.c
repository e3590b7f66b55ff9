/* Text as the JVM has it: what the JDK's UTF-8 decoder makes of malformed bytes, and its
 * doubles. */
#include "support.h"

#include "payload/java_text.h"
#include <float.h>
#include <math.h>

#define BAD "\xef\xbf\xbd"

static void malformed_bytes_are_replaced_as_the_jdk_does(void **state) {
  static const struct {
    const char *in, *out;
  } cases[] = {
      {"plain", "plain"},
      {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
      {"a\xff"
       "b",
       "a" BAD "b"},
      {"\xc3", BAD},
      {"\xc0\x80", BAD BAD},
      {"\xe2\x82", BAD},
      {"\xe2\x28\xa1", BAD "(" BAD},
      {"\xed\xa0\x80", BAD},
      {"\xe0\x80\x80", BAD BAD BAD},
      {"\xf0\x9f\x98", BAD},
      {"\xf0\x9f", BAD},
      {"\xf5\x80\x80\x80", BAD BAD BAD BAD},
      {"\xf4\x90\x80\x80", BAD BAD BAD BAD},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint8_t out[64];
    size_t len = pubsub_java_repair(pubsub_view_str(cases[i].in), out);
    assert_int_equal(len, strlen(cases[i].out));
    assert_memory_equal(out, cases[i].out, len);
  }
}

static void lone_halves_become_question_marks(void **state) {
  uint8_t text[] = "a\xed\xa0\x80"
                   "b\xed\x9f\xbf";
  (void)state;
  assert_int_equal(pubsub_java_narrow(text, sizeof text - 1), 6);
  assert_memory_equal(text, "a?b\xed\x9f\xbf", 6);
}

static void doubles_are_printed_as_java_prints_them(void **state) {
  static const struct {
    double value;
    const char *text;
  } cases[] = {
      {0, "0.0"},
      {-0.0, "-0.0"},
      {1, "1.0"},
      {1.5, "1.5"},
      {0.001, "0.001"},
      {0.00099, "9.9E-4"},
      {1e7, "1.0E7"},
      {9999999, "9999999.0"},
      {123456.789, "123456.789"},
      {1e-5, "1.0E-5"},
      {-2.5e300, "-2.5E300"},
      {0.1, "0.1"},
      {0.30000000000000004, "0.30000000000000004"},
      {DBL_MAX, "1.7976931348623157E308"},
      {4.9e-324, "4.9E-324"},
      {1e23, "1.0E23"},
      {100, "100.0"},
      {0.25, "0.25"},
      {0.0123, "0.0123"},
      {INFINITY, "Infinity"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char out[PUBSUB_JAVA_DOUBLE_CHARS + 1];
    out[pubsub_java_double(cases[i].value, out)] = 0;
    assert_string_equal(out, cases[i].text);
  }
}

static void identifiers(void **state) {
  (void)state;
  assert_true(pubsub_java_is_identifier_start('a') && !pubsub_java_is_identifier_start('1'));
  assert_true(pubsub_java_is_identifier_part('1') && pubsub_java_is_identifier_part(1));
  assert_false(pubsub_java_is_identifier_part('-') || pubsub_java_is_identifier_part(' '));
  assert_true(pubsub_java_is_identifier_start(0xe9) && pubsub_java_is_identifier_start(0x20ac));
  assert_false(pubsub_java_is_identifier_part(0xfffd) || pubsub_java_is_identifier_part(0x1f600));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(malformed_bytes_are_replaced_as_the_jdk_does),
      cmocka_unit_test(lone_halves_become_question_marks),
      cmocka_unit_test(doubles_are_printed_as_java_prints_them),
      cmocka_unit_test(identifiers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
