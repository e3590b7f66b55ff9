#include "support.h"

#include "push/pace.h"

static void it_grows(void **state) {
  struct pace pace;
  (void)state;
  pace_init(&pace);
  assert_true(pace_allows(&pace, PACE_FIRST - 1, 0));
  assert_false(pace_allows(&pace, PACE_FIRST, 0));
  for (int i = 0; i < 1000; i++)
    pace_succeeded(&pace);
  assert_true(pace_allows(&pace, PACE_MOST - 1, 0));
  assert_false(pace_allows(&pace, PACE_MOST, 0));
}

static void it_pauses_longer_each_time(void **state) {
  struct pace pace;
  uint64_t now = 1000000, pause = 0;
  (void)state;
  pace_init(&pace);
  for (int i = 0; i < 12; i++) {
    pace_failed(&pace, now);
    assert_true(pace.resume_us - now >= pause);
    pause = pace.resume_us - now;
    assert_false(pace_allows(&pace, 0, pace.resume_us - 1));
    pace_failed(&pace, now + 1); /* it was under way too: counts once */
    assert_int_equal(pace.resume_us - now, pause);
    now = pace.resume_us;
    assert_true(pace_allows(&pace, 0, now));
  }
  assert_int_equal(pause, 60000000);
  assert_int_equal(pace.window, 1);
  pace_succeeded(&pace);
  pace_failed(&pace, now);
  assert_int_equal(pace.resume_us - now, 100000);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(it_grows),
                                     cmocka_unit_test(it_pauses_longer_each_time)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
