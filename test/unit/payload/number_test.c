/* Numbers: the nearest double, and decimals as BigDecimal rounds them. */
#include "support.h"

#include "base/rng.h"
#include "payload/number.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static locale_t c;

static struct pubsub_digits digits(const char *text) {
  bool negative = text[0] == '-';
  return (struct pubsub_digits){pubsub_view_str(text + negative), negative,
                                strpbrk(text, ".eE") == NULL};
}

static void longs_end_where_64_bits_do(void **state) {
  int64_t out;
  (void)state;
  assert_true(pubsub_number_long(digits("9223372036854775807"), &out) && out == INT64_MAX);
  assert_true(pubsub_number_long(digits("-9223372036854775808"), &out) && out == INT64_MIN);
  assert_false(pubsub_number_long(digits("9223372036854775808"), &out));
  assert_false(pubsub_number_long(digits("99999999999999999999"), &out));
  assert_false(pubsub_number_long(digits("1.0"), &out));
  assert_true(pubsub_number_long(digits("-0"), &out) && out == 0);
}

static void doubles_are_the_nearest(void **state) {
  static const char *const texts[] = {"0.1",
                                      "1e22",
                                      "1e23",
                                      "9007199254740993",
                                      "1e400",
                                      "4.9e-324",
                                      "1e-400",
                                      "123456789012345678901234567890",
                                      "0.30000000000000004",
                                      "1.7976931348623157e308",
                                      "2.5E-3"};
  struct pubsub_rng rng;
  double out;
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    assert_true(pubsub_number_double(digits(texts[i]), c, &out));
    assert_true(out == strtod(texts[i], NULL));
  }
  pubsub_rng_seed(&rng, 3);
  for (int i = 0; i < 20000; i++) {
    char text[64];
    uint64_t bits = pubsub_rng_next(&rng);
    double value;
    memcpy(&value, &bits, sizeof value);
    if (!isfinite(value)) continue;
    snprintf(text, sizeof text, "%.*e", i % 18, value);
    assert_true(pubsub_number_double(digits(text), c, &out));
    assert_true(out == strtod(text, NULL));
  }
  float narrow;
  assert_true(pubsub_number_float(digits("16777217"), c, &narrow) && narrow == 16777216.0f);
  assert_true(pubsub_number_double(digits("-0"), c, &out) && !signbit(out));
  assert_true(pubsub_number_double(digits("-0.0"), c, &out) && signbit(out));
}

static void decimals_are_rounded_half_up(void **state) {
  static const struct {
    const char *text;
    uint8_t precision, scale;
    int64_t unscaled; /* INT64_MIN: none */
  } cases[] = {
      {"1.005", 10, 2, 101},
      {"1.0049", 10, 2, 100},
      {"-2.5", 5, 0, -3},
      {"99999.995", 7, 2, INT64_MIN},
      {"99999.994", 7, 2, 9999999},
      {"0.0049", 3, 2, 0},
      {"0.005", 3, 2, 1},
      {"1e2", 5, 2, 10000},
      {"1e3", 5, 2, INT64_MIN},
      {"1E-5", 5, 2, 0},
      {"0e99", 5, 2, 0},
      {"1e99999999999", 5, 2, INT64_MIN},
      {"1e-2000000000", 5, 2, 0},
      {"1e2000000000", 5, 2, INT64_MIN},
      {"000123.4500", 5, 2, 12345},
  };
  __int128 out;
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bool done =
        pubsub_number_decimal(digits(cases[i].text), cases[i].precision, cases[i].scale, &out);
    assert_int_equal(done, cases[i].unscaled != INT64_MIN);
    if (done) assert_true(out == cases[i].unscaled);
  }
  assert_true(pubsub_number_decimal(digits("99999999999999999999999999999999999999"), 38, 0, &out));
  assert_false(
      pubsub_number_decimal(digits("99999999999999999999999999999999999999.5"), 38, 0, &out));
}

static void decimals_of_text(void **state) {
  static const char *const bad[] = {"", "abc", "1 ", " 1", "1e", "--1", "1.2.3", ".", "0x1", "1e+"};
  __int128 out;
  (void)state;
  assert_true(pubsub_number_decimal_text(pubsub_view_str("+1,234.5"), 10, 1, &out) && out == 12345);
  assert_true(pubsub_number_decimal_text(pubsub_view_str("-.5"), 10, 1, &out) && out == -5);
  assert_true(pubsub_number_decimal_text(pubsub_view_str("5."), 10, 1, &out) && out == 50);
  assert_true(pubsub_number_decimal_text(pubsub_view_str("1e+2"), 10, 0, &out) && out == 100);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(pubsub_number_decimal_text(pubsub_view_str(bad[i]), 10, 1, &out));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(longs_end_where_64_bits_do),
      cmocka_unit_test(doubles_are_the_nearest),
      cmocka_unit_test(decimals_are_rounded_half_up),
      cmocka_unit_test(decimals_of_text),
  };
  c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  freelocale(c);
  return failed;
}
