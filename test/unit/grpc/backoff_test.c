#include "support.h"

#include "grpc/backoff.h"

static void backoff_doubles_up_to_its_ceiling(void **state) {
  struct pubsub_backoff backoff;
  struct pubsub_rng rng;
  uint64_t base = 100000, most = 60000000;
  (void)state;
  pubsub_rng_seed(&rng, 7);
  pubsub_backoff_init(&backoff, 100000, 60000000);
  for (int i = 0; i < 20; i++) {
    uint64_t delay = pubsub_backoff_next_us(&backoff, &rng);
    assert_true(delay >= base && delay <= base + base / 4 && delay <= most);
    base = base * 2 > most ? most : base * 2;
  }
  pubsub_backoff_reset(&backoff);
  assert_true(pubsub_backoff_next_us(&backoff, &rng) <= 125000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(backoff_doubles_up_to_its_ceiling, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
