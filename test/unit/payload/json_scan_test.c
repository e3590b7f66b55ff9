/* The characters of JSON: strings with their escapes, comments, base64; and where each ends. */
#include "support.h"

#include "payload/json_scan.h"
#include <stdlib.h>

static struct pubsub_json *json;

static int make(void **state) {
  (void)state;
  json = calloc(1, sizeof *json);
  return json ? 0 : -1;
}

static int unmake(void **state) {
  pubsub_json_clear(json);
  free(json);
  return no_leaks(state);
}

static bool quoted(const char *text, uint32_t allow) {
  pubsub_json_init(json, pubsub_view_str(text), allow);
  return pubsub_json_quoted(json, '"', &json->scratch, &json->text);
}

static void strings_end_at_their_quote(void **state) {
  static const struct {
    const char *in, *out; /* out NULL: malformed */
    uint32_t allow;
  } cases[] = {
      {"abc\"rest", "abc", 0},
      {"\"", "", 0},
      {"a long one with more than eight characters\"", "a long one with more than eight characters",
       0},
      {"tab\\t quote\\\" slash\\/ \\\\ \\b\\f\\n\\r\"", "tab\t quote\" slash/ \\ \b\f\n\r", 0},
      {"\\u0041\\u00e9\\u20aC\\ud83d\\ude00\"", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 0},
      {"\\ud83d\"", "\xed\xa0\xbd", 0},
      {"no end", NULL, 0},
      {"\\", NULL, 0},
      {"\\u12\"", NULL, 0},
      {"\\u12x4\"", NULL, 0},
      {"\\q\"", NULL, 0},
      {"\\q\"", "q", PUBSUB_ALLOW_BACKSLASH_ANY},
      {"\\\xc3\xa9\"", "\xc3\xa9", PUBSUB_ALLOW_BACKSLASH_ANY},
      {"\\'\"", "'", PUBSUB_ALLOW_SINGLE_QUOTES},
      {"a\x01\"", NULL, 0},
      {"a\x01\"", "a\x01", PUBSUB_ALLOW_CONTROL_CHARS},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(quoted(cases[i].in, cases[i].allow), cases[i].out != NULL);
    if (!cases[i].out) continue;
    assert_int_equal(json->text.len, strlen(cases[i].out));
    assert_memory_equal(json->text.ptr, cases[i].out, json->text.len);
    pubsub_json_init(json, pubsub_view_str(cases[i].in), cases[i].allow);
    assert_true(pubsub_json_pass_string(json));
  }
}

static void comments_need_to_be_allowed(void **state) {
  (void)state;
  pubsub_json_init(json, pubsub_view_str(" // a\n /* b * / **/\t x"), PUBSUB_ALLOW_COMMENTS);
  assert_int_equal(pubsub_json_skip_space(json), 'x');
  assert_int_equal(pubsub_json_skip_space(json), PUBSUB_JSON_EOF);
  pubsub_json_init(json, pubsub_view_str("/**/x"), 0);
  assert_int_equal(pubsub_json_skip_space(json), PUBSUB_JSON_BAD);
  pubsub_json_init(json, pubsub_view_str("/* x"), PUBSUB_ALLOW_COMMENTS);
  assert_int_equal(pubsub_json_skip_space(json), PUBSUB_JSON_BAD);
  pubsub_json_init(json, pubsub_view_str(" \x02"), 0);
  assert_int_equal(pubsub_json_skip_space(json), PUBSUB_JSON_BAD);
}

static bool base64(const char *text, uint8_t *out, size_t *len) {
  pubsub_json_init(json, pubsub_view_str(text), 0);
  json->incomplete = true;
  return pubsub_json_base64(json, out, len);
}

static void base64_is_jacksons(void **state) {
  static const char *const bad[] = {"YQ=\"", "YQ\"",   "Y\"",    "YW\"",  "Y Q==\"", "=\"",
                                    "YQ==",  "!Q==\"", "YQ=x\"", "YWI\"", "Y===\""};
  uint8_t out[64];
  size_t len;
  (void)state;
  assert_true(base64("\"", out, &len) && len == 0);
  assert_true(base64("YQ==\"", out, &len) && len == 1 && out[0] == 'a');
  assert_true(base64("YWI=\"", out, &len) && len == 2 && memcmp(out, "ab", 2) == 0);
  assert_true(base64("YWJj YWJj\"", out, &len) && len == 6 && memcmp(out, "abcabc", 6) == 0);
  assert_true(base64("+/+/\"", out, &len) && len == 3);
  assert_true(base64("YQ==YQ==\"", out, &len) && len == 2);
  assert_true(base64("\\u0059Q==\"", out, &len) && len == 1);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(base64(bad[i], out, &len));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(strings_end_at_their_quote, make, unmake),
      cmocka_unit_test_setup_teardown(comments_need_to_be_allowed, make, unmake),
      cmocka_unit_test_setup_teardown(base64_is_jacksons, make, unmake),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
