#include "support.h"

#include "model/times.h"

static Google__Protobuf__Duration duration(int64_t seconds, int32_t nanos) {
  Google__Protobuf__Duration made = GOOGLE__PROTOBUF__DURATION__INIT;
  made.seconds = seconds;
  made.nanos = nanos;
  return made;
}

static void durations_never_overflow(void **state) {
  Google__Protobuf__Duration small = duration(1, 500000), far = duration(INT64_MAX, INT32_MAX),
                             past = duration(INT64_MIN, INT32_MIN);
  (void)state;
  assert_int_equal(times_duration_us(&small, 7), 1000500);
  assert_int_equal(times_duration_us(NULL, 7), 7);
  assert_true(times_duration_us(&far, 0) == INT64_MAX);
  assert_true(times_duration_us(&past, 0) == INT64_MIN);
}

static void timestamps_never_overflow(void **state) {
  Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
  (void)state;
  time.seconds = 253402300799;
  time.nanos = 999999999;
  assert_true(times_timestamp_us(&time) == INT64_C(253402300799999999));
  time.seconds = INT64_MAX;
  assert_true(times_timestamp_us(&time) == INT64_MAX);
}

static void durations_of_commands(void **state) {
  static const struct {
    const char *text;
    uint64_t us;
  } good[] = {{"0s", 0},
              {"50us", 50},
              {"1500ms", 1500000},
              {"2s", 2000000},
              {"1.5h", 5400000000},
              {"7h30m", 27000000000},
              {"1d1us", 86400000001}};
  static const char *const bad[] = {"",  "1",     "s",      "1x",     "-1s",  "1s ",  "1 s",
                                    "m", "1s-1s", "36526d", "1e300d", "nans", "0x10", "999999999d"};
  uint64_t us;
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    assert_true(times_parse(good[i].text, &us));
    assert_int_equal(us, good[i].us);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(times_parse(bad[i], &us));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(durations_never_overflow),
      cmocka_unit_test(timestamps_never_overflow),
      cmocka_unit_test(durations_of_commands),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
