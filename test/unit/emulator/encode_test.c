#include "support.h"

#include "rpc/encode.h"

static void what_is_not_printable_is_percent_encoded(void **state) {
  char out[64];
  (void)state;
  encode_message("plain ~ text", out, sizeof out);
  assert_string_equal(out, "plain ~ text");
  encode_message("50%\n\x7fé", out, sizeof out);
  assert_string_equal(out, "50%25%0A%7F%C3%A9");
  encode_message("", out, sizeof out);
  assert_string_equal(out, "");
}

static void what_does_not_fit_is_cut_between_letters(void **state) {
  char out[8];
  (void)state;
  encode_message("\n\n\n\n", out, sizeof out);
  assert_string_equal(out, "%0A%0A");
  encode_message("abcdefghijk", out, sizeof out);
  assert_string_equal(out, "abcd");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_is_not_printable_is_percent_encoded),
      cmocka_unit_test(what_does_not_fit_is_cut_between_letters),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
