#include "support.h"

#include "model/filter.h"
#include <stdio.h>

/* A PubsubMessage with the attribute k=v, and another. */
static struct pubsub_view message_with(const char *value) {
  static uint8_t bytes[200];
  uint8_t *out = bytes;
  size_t len = strlen(value);
  static const char other[] = "\x12\x06\x0a\x01z\x12\x01y";
  memcpy(out, other, sizeof other - 1);
  out += sizeof other - 1;
  *out++ = 2 << 3 | 2;
  *out++ = (uint8_t)(5 + len);
  memcpy(out, "\x0a\x01k\x12", 4);
  out[4] = (uint8_t)len;
  memcpy(out + 5, value, len);
  return pubsub_view_of(bytes, (size_t)(out + 5 + len - bytes));
}

static bool matches(const char *text, const char *value) {
  const char *problem;
  struct filter *filter = filter_parse(text, &problem);
  assert_non_null(filter);
  assert_null(problem);
  bool out = filter_matches(filter, message_with(value));
  filter_free(filter);
  return out;
}

static void each_operator(void **state) {
  static const struct {
    const char *text;
    bool a, ab;
  } cases[] = {
      {"attributes:k", true, true},
      {"attributes:none", false, false},
      {"attributes.k=\"a\"", true, false},
      {"attributes.k != \"a\"", false, true},
      {"attributes.none != \"a\"", true, true},
      {"hasPrefix(attributes.k, \"a\")", true, true},
      {"hasPrefix ( attributes . k , \"ab\" )", false, true},
      {"NOT attributes:k", false, false},
      {"-attributes.k=\"a\"", false, true},
      {"attributes:k AND attributes.z=\"y\"", true, true},
      {"attributes.k=\"a\" OR attributes.k=\"ab\"", true, true},
      {"(attributes.k=\"a\" OR attributes.k=\"ab\") AND NOT attributes.k=\"a\"", false, true},
      {"attributes.\"k\" = \"a\"", true, false}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(matches(cases[i].text, "a"), cases[i].a);
    assert_int_equal(matches(cases[i].text, "ab"), cases[i].ab);
  }
}

static void escapes(void **state) {
  static const struct {
    const char *text, *value;
  } cases[] = {{"\\\"", "\""},
               {"\\\\", "\\"},
               {"\\t\\n\\r", "\t\n\r"},
               {"\\a\\b\\f\\v", "\a\b\f\v"},
               {"\\'\\`\\?", "'`?"},
               {"\\143", "c"},
               {"\\x63\\x7E", "c~"},
               {"\\u0063d", "cd"},
               {"\\u307F", "\xe3\x81\xbf"},
               {"\\u00e9", "\xc3\xa9"},
               {"\\xe9", "\xc3\xa9"},
               {"\\U0001F600", "\xf0\x9f\x98\x80"}};
  char text[80];
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf(text, sizeof text, "attributes.k = \"%s\"", cases[i].text);
    assert_true(matches(text, cases[i].value));
  }
}

static void what_is_no_filter(void **state) {
  static const char *const bad[] = {"nonsense",
                                    "attributes",
                                    "attributes.k",
                                    "attributes.k = a",
                                    "attributes.k = \"a",
                                    "(attributes:k",
                                    "attributes:k)",
                                    "attributes:a AND attributes:b OR attributes:c",
                                    "NOT",
                                    "hasPrefix(attributes.k)",
                                    "attributes:k attributes:k",
                                    "attributes.k=\"\\q\"",
                                    "attributes.k=\"\\u12\"",
                                    "attributes.k=\"\\xg1\"",
                                    "attributes.k=\"\\400\"",
                                    "attributes.k=\"\\ud800\"",
                                    "attributes.k=\"\\U00110000\"",
                                    "attributes.k=\"\\"};
  const char *problem;
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_null(filter_parse(bad[i], &problem));
    assert_non_null(problem);
  }
  assert_null(filter_parse("  ", &problem));
  assert_null(problem); /* no filter at all */
}

static void deep_nesting_is_refused(void **state) {
  char text[300] = "";
  const char *problem;
  (void)state;
  memset(text, '(', 250);
  assert_null(filter_parse(text, &problem));
  assert_non_null(strstr(problem, "deep"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_operator),
      cmocka_unit_test(escapes),
      cmocka_unit_test(what_is_no_filter),
      cmocka_unit_test(deep_nesting_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
