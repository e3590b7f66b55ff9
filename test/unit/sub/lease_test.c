#include "support.h"

#include "sub/lease.h"

#define SECOND UINT64_C(1000000)

/* On a virtual clock: an extension always comes before the deadline runs out, and stops when it
 * must. */
static void leases_are_extended_in_time(void **state) {
  static const uint64_t deadlines[] = {10, 11, 20, 60, 600};
  (void)state;
  for (size_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++) {
    uint64_t now = 5 * SECOND, granted = now, deadline = deadlines[i] * SECOND;
    const uint64_t most = 3600 * SECOND;
    struct pubsub_lease lease;
    enum pubsub_lease_action action = PUBSUB_LEASE_EXTEND;
    pubsub_lease_start(&lease, now, deadline);
    assert_int_equal(pubsub_lease_check(&lease, most, now), PUBSUB_LEASE_KEEP);
    while (action == PUBSUB_LEASE_EXTEND) {
      now = pubsub_lease_due_us(&lease, most);
      assert_true(now > granted && now + 5 * SECOND <= granted + deadline);
      action = pubsub_lease_check(&lease, most, now);
      assert_int_not_equal(action, PUBSUB_LEASE_KEEP);
      granted = now;
      pubsub_lease_extend(&lease, now, deadline);
    }
    assert_int_equal(action, PUBSUB_LEASE_GIVE_UP);
    assert_int_equal(now, 3605 * SECOND);
  }
}

/* A newer ack id has the stream's deadline, however long the chunk's was extended. */
static void a_newer_id_shortens_a_lease(void **state) {
  struct pubsub_lease lease;
  (void)state;
  pubsub_lease_start(&lease, 0, 60 * SECOND);
  pubsub_lease_extend(&lease, 40 * SECOND, 600 * SECOND);
  pubsub_lease_shorten(&lease, 100 * SECOND, 60 * SECOND);
  assert_int_equal(pubsub_lease_end_us(&lease), 160 * SECOND);
  pubsub_lease_shorten(&lease, 110 * SECOND, 60 * SECOND); /* what ends earlier stays */
  assert_int_equal(pubsub_lease_end_us(&lease), 160 * SECOND);
}

/* What was sent last counts for when to look; only what has arrived for when it ends. */
static void an_extension_counts_once_it_has_arrived(void **state) {
  struct pubsub_lease lease;
  (void)state;
  pubsub_lease_start(&lease, 0, 10 * SECOND);
  pubsub_lease_extend(&lease, 5 * SECOND, 10 * SECOND);
  assert_false(pubsub_lease_has_ended(&lease, 10 * SECOND - 1));
  assert_true(pubsub_lease_has_ended(&lease, 10 * SECOND));
  pubsub_lease_confirm(&lease);
  assert_false(pubsub_lease_has_ended(&lease, 15 * SECOND - 1));
  assert_true(pubsub_lease_has_ended(&lease, 15 * SECOND));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(leases_are_extended_in_time, no_leaks),
      cmocka_unit_test_teardown(an_extension_counts_once_it_has_arrived, no_leaks),
      cmocka_unit_test_teardown(a_newer_id_shortens_a_lease, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
