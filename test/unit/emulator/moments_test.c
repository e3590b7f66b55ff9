#include "support.h"

#include "json/moments.h"
#include <time.h>

static void durations(void **state) {
  static const struct {
    const char *text;
    int64_t seconds;
    int32_t nanos;
  } good[] = {{"0s", 0, 0},
              {"3.5s", 3, 500000000},
              {"-1.000000001s", -1, -1},
              {"315576000000s", 315576000000, 0}};
  static const char *const bad[] = {"",   "s",   "1",   "1 s",           "1.s", ".5s",
                                    "1m", "1ss", "+1s", "1.1234567890s", "1e3s"};
  int64_t seconds;
  int32_t nanos;
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    assert_true(json_parse_duration(good[i].text, &seconds, &nanos));
    assert_true(seconds == good[i].seconds && nanos == good[i].nanos);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(json_parse_duration(bad[i], &seconds, &nanos));
}

static void timestamps(void **state) {
  static const struct {
    const char *text;
    int64_t seconds;
    int32_t nanos;
  } good[] = {{"1970-01-01T00:00:00Z", 0, 0},
              {"2024-02-29T12:30:15.25Z", 1709209815, 250000000},
              {"2024-02-29T12:30:15+01:00", 1709206215, 0},
              {"2024-02-29T12:30:15-00:30", 1709211615, 0},
              {"1969-12-31T23:59:59Z", -1, 0},
              {"0001-01-01T00:00:00Z", -62135596800, 0},
              {"9999-12-31T23:59:59Z", 253402300799, 0}};
  static const char *const bad[] = {"",
                                    "2024-02-30T00:00:00Z",
                                    "2023-02-29T00:00:00Z",
                                    "2024-13-01T00:00:00Z",
                                    "2024-00-01T00:00:00Z",
                                    "0000-01-01T00:00:00Z",
                                    "2024-01-01T24:00:00Z",
                                    "2024-01-01T00:60:00Z",
                                    "2024-01-01T00:00:00",
                                    "2024-01-01 00:00:00Z",
                                    "2024-1-01T00:00:00Z",
                                    "2024-01-01T00:00:00Zx",
                                    "2024-01-01T00:00:00.Z",
                                    "2024-01-01T00:00:00+1:00"};
  int64_t seconds;
  int32_t nanos;
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    assert_true(json_parse_timestamp(good[i].text, &seconds, &nanos));
    assert_true(seconds == good[i].seconds && nanos == good[i].nanos);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(json_parse_timestamp(bad[i], &seconds, &nanos));
}

/* Every day of four centuries, as the C library writes it. */
static void every_day(void **state) {
  int64_t seconds;
  int32_t nanos;
  char text[40];
  (void)state;
  for (int64_t day = -146097 / 2; day < 146097 / 2; day++) {
    time_t at = (time_t)(day * 86400);
    struct tm utc;
    gmtime_r(&at, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    assert_true(json_parse_timestamp(text, &seconds, &nanos));
    assert_true(seconds == at);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(durations),
      cmocka_unit_test(timestamps),
      cmocka_unit_test(every_day),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
