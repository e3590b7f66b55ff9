#include "support.h"

#include "auth/token_times.h"

#define S 1000000u

static struct pubsub_token_times times;

static void it_is_renewed_five_minutes_early(void **state) {
  (void)state;
  pubsub_token_times_note(&times, 1000 * S, 3600, 0);
  assert_false(pubsub_token_times_due(&times, (1000 + 3299) * S, 0));
  assert_true(pubsub_token_times_due(&times, (1000 + 3300) * (uint64_t)S, 0));
}

static void a_short_life_is_halved(void **state) {
  (void)state;
  pubsub_token_times_note(&times, 0, 60, 0);
  assert_false(pubsub_token_times_due(&times, 29 * S, 0));
  assert_true(pubsub_token_times_due(&times, 30 * S, 0));
}

static void what_was_refused_is_renewed_but_not_all_the_time(void **state) {
  (void)state;
  pubsub_token_times_note(&times, 100 * S, 3600, 7);
  assert_false(pubsub_token_times_due(&times, 110 * S, 7));
  assert_false(pubsub_token_times_due(&times, 104 * S, 8));
  assert_true(pubsub_token_times_due(&times, 105 * S, 8));
}

static void a_life_that_is_absurd(void **state) {
  (void)state;
  pubsub_token_times_note(&times, 0, UINT64_MAX, 0);
  assert_false(pubsub_token_times_due(&times, 1000 * (uint64_t)S, 0));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(it_is_renewed_five_minutes_early), cmocka_unit_test(a_short_life_is_halved),
      cmocka_unit_test(what_was_refused_is_renewed_but_not_all_the_time),
      cmocka_unit_test(a_life_that_is_absurd)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
