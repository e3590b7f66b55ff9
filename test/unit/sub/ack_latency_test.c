/* The histogram of holding times, outcomes of single ids, and the index of held messages. */
#include "support.h"

#include "sub/ack_latency.h"

#define SECOND UINT64_C(1000000)

static void the_deadline_follows_the_percentile(void **state) {
  struct pubsub_ack_latency latency = {0};
  (void)state;
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, false), 45);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, true), 60);
  pubsub_ack_latency_add(&latency, 20 * SECOND, 985, SECOND);
  pubsub_ack_latency_add(&latency, 90 * SECOND, 15, SECOND);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, false), 90);
  pubsub_ack_latency_add(&latency, 20 * SECOND, 1000, SECOND);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, false), 20);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 40 * SECOND, 45, false), 40);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, true), 60);
  pubsub_ack_latency_add(&latency, 5000 * SECOND, 100000, SECOND);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, false), 600);
  for (uint64_t turn = 1; turn < 30; turn++) /* a new workload is learnt */
    pubsub_ack_latency_add(&latency, 2 * SECOND, 1000, SECOND + turn * 600 * SECOND);
  assert_int_equal(pubsub_ack_latency_deadline_s(&latency, 0, 45, false), 10);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(the_deadline_follows_the_percentile, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
