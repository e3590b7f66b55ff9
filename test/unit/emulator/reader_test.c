#include "support.h"

#include "json/reader.h"

static struct pubsub_error error;

static struct json begin(const char *text) {
  struct json json;
  error = (struct pubsub_error){0};
  json_init(&json, pubsub_view_str(text), &error);
  return json;
}

static void objects_and_arrays(void **state) {
  struct json json =
      begin(" {\"a\" : [1, -2.5e+3 ,0] , \"b\":{}, \"c\":[ ], \"d\": true,\"e\":null} ");
  struct pubsub_buf name = {0};
  struct pubsub_view number;
  bool value;
  (void)state;
  assert_true(json_enter(&json, '{') && json_more(&json, '}') && json_key(&json, &name));
  assert_string_equal((char *)name.ptr, "a");
  assert_true(json_enter(&json, '[') && json_more(&json, ']') && json_number(&json, &number));
  assert_true(json_more(&json, ']') && json_number(&json, &number));
  assert_true(pubsub_view_equal(number, pubsub_view_str("-2.5e+3")));
  assert_true(json_more(&json, ']') && json_number(&json, &number) && !json_more(&json, ']'));
  assert_true(json_more(&json, '}') && json_key(&json, &name) && json_peek(&json) == JSON_OBJECT);
  assert_true(json_enter(&json, '{') && !json_more(&json, '}'));
  assert_true(json_more(&json, '}') && json_key(&json, &name) && json_peek(&json) == JSON_ARRAY);
  assert_true(json_enter(&json, '[') && !json_more(&json, ']'));
  assert_true(json_more(&json, '}') && json_key(&json, &name) && json_bool(&json, &value) && value);
  assert_true(json_more(&json, '}') && json_key(&json, &name) && json_null(&json));
  assert_true(!json_more(&json, '}') && json_end(&json) && !json.failed);
  pubsub_buf_clear(&name);
}

static void strings(void **state) {
  static const struct {
    const char *text, *value; /* NULL: it is none */
  } cases[] = {{"\"\"", ""},
               {"\"a\\n\\t\\\"\\\\\\/\\b\\f\\r\"", "a\n\t\"\\/\b\f\r"},
               {"\"\\u0041\\u00e9\\u307f\"", "A\xc3\xa9\xe3\x81\xbf"},
               {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"},
               {"\"\xc3\xa9\"", "\xc3\xa9"},
               {"\"a", NULL},
               {"\"\\q\"", NULL},
               {"\"\\u12\"", NULL},
               {"\"\\u0000\"", NULL},
               {"\"\\ud83d\"", NULL},
               {"\"\\ud83dx\"", NULL},
               {"\"\\ude00\"", NULL},
               {"\"\xff\"", NULL},
               {"\"\n\"", NULL},
               {"\"\\", NULL},
               {"a", NULL}};
  struct pubsub_buf out = {0};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct json json = begin(cases[i].text);
    bool good = json_string(&json, &out) && json_end(&json);
    assert_int_equal(good, cases[i].value != NULL);
    if (good) assert_string_equal((char *)out.ptr, cases[i].value);
    assert_int_equal(error.text[0] == '\0', good);
  }
  pubsub_buf_clear(&out);
}

static void numbers(void **state) {
  static const char *const good[] = {"0", "-0", "10", "0.5", "1e5", "-1.25E-7"};
  static const char *const bad[] = {"01", "+1", ".5", "1.", "1e", "-", "1e+", "x", "--1"};
  struct pubsub_view number;
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    struct json json = begin(good[i]);
    assert_true(json_number(&json, &number) && json_end(&json));
    assert_true(pubsub_view_equal(number, pubsub_view_str(good[i])));
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct json json = begin(bad[i]);
    assert_false(json_number(&json, &number) && json_end(&json));
  }
}

static void what_is_wrong_is_told_with_its_place(void **state) {
  struct json json = begin("{\n  \"a\": 1\n  \"b\": 2}");
  struct pubsub_buf name = {0};
  struct pubsub_view number;
  (void)state;
  assert_true(json_enter(&json, '{') && json_more(&json, '}') && json_key(&json, &name) &&
              json_number(&json, &number));
  assert_false(json_more(&json, '}'));
  assert_string_equal(error.text, "line 3, column 3: expected a comma or }");
  assert_false(json_enter(&json, '{')); /* and nothing works after it */
  assert_string_equal(error.text, "line 3, column 3: expected a comma or }");
  pubsub_buf_clear(&name);
}

static void commas_and_depth(void **state) {
  char deep[200];
  struct pubsub_view number;
  (void)state;
  struct json json = begin("[1,]");
  assert_true(json_enter(&json, '[') && json_more(&json, ']') && json_number(&json, &number));
  assert_false(json_more(&json, ']'));
  assert_true(json.failed);
  json = begin("[,1]");
  assert_true(json_enter(&json, '[') && json_more(&json, ']'));
  assert_false(json_number(&json, &number));
  for (size_t i = 0; i < sizeof deep; i++)
    deep[i] = '[';
  json_init(&json, pubsub_view_of(deep, sizeof deep), &error);
  int depth = 0;
  while (json_enter(&json, '[') && json_more(&json, ']'))
    depth++;
  assert_true(json.failed && depth < 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(objects_and_arrays, no_leaks),
      cmocka_unit_test_teardown(strings, no_leaks),
      cmocka_unit_test_teardown(numbers, no_leaks),
      cmocka_unit_test_teardown(what_is_wrong_is_told_with_its_place, no_leaks),
      cmocka_unit_test_teardown(commas_and_depth, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
