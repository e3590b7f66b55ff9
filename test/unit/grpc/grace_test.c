/* How long a trouble of what has worked may last. */
#include "support.h"

#include "grpc/grace.h"

#define SECOND ((uint64_t)1000000)

static void a_trouble_has_thirty_seconds(void **state) {
  struct pubsub_grace grace = {0};
  (void)state;
  assert_true(pubsub_grace_allows(&grace, 0)); /* time 0 is a time like others */
  assert_true(pubsub_grace_allows(&grace, 30 * SECOND - 1));
  assert_false(pubsub_grace_allows(&grace, 30 * SECOND));
  assert_false(pubsub_grace_allows(&grace, 80 * SECOND));
}

static void failures_far_apart_are_troubles_of_their_own(void **state) {
  struct pubsub_grace grace = {0};
  (void)state;
  for (uint64_t now = 5; now < 1000 * SECOND; now += 60 * SECOND + 1)
    assert_true(pubsub_grace_allows(&grace, now));
  struct pubsub_grace steady = {0};
  assert_true(pubsub_grace_allows(&steady, 5));
  assert_false(pubsub_grace_allows(&steady, 5 + 60 * SECOND));
}

static void success_ends_a_trouble(void **state) {
  struct pubsub_grace grace = {0};
  (void)state;
  assert_true(pubsub_grace_allows(&grace, 100 * SECOND));
  assert_false(pubsub_grace_allows(&grace, 131 * SECOND));
  pubsub_grace_reset(&grace);
  assert_true(pubsub_grace_allows(&grace, 132 * SECOND));
  assert_true(pubsub_grace_allows(&grace, 161 * SECOND));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_trouble_has_thirty_seconds),
                                     cmocka_unit_test(failures_far_apart_are_troubles_of_their_own),
                                     cmocka_unit_test(success_ends_a_trouble)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
