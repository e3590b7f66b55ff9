#include "support.h"

#include "base/utf8.h"

static void utf8_is_checked_and_repaired(void **state) {
  static const struct {
    const char *text, *repaired;
  } cases[] = {{"plain", "plain"},
               {"gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f"},
               {"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
               {"a\xff"
                "b",
                "a\xef\xbf\xbd"
                "b"},
               {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
               {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* surrogate */
               {"x\xe2\x82", "x\xef\xbf\xbd\xef\xbf\xbd"}};              /* cut */
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const uint8_t *text = (const uint8_t *)cases[i].text;
    size_t len = strlen(cases[i].text);
    uint8_t out[64];
    size_t repaired = pubsub_utf8_repair(text, len, out);
    assert_int_equal(repaired, strlen(cases[i].repaired));
    assert_memory_equal(out, cases[i].repaired, repaired);
    assert_int_equal(pubsub_utf8_repair(text, len, NULL), repaired);
    assert_int_equal(pubsub_utf8_valid(text, len), strcmp(cases[i].text, cases[i].repaired) == 0);
    assert_true(pubsub_utf8_valid(out, repaired));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(utf8_is_checked_and_repaired, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
