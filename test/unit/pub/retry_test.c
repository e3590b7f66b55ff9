#include "support.h"

#include "base/error.h"
#include "pub/retry.h"

static void what_is_retried(void **state) {
  struct pubsub_retry_limits limits = {100000, 60000000, 600000000, 60000000};
  static const int permanent[] = {PUBSUB_GRPC_INVALID_ARGUMENT, PUBSUB_GRPC_NOT_FOUND,
                                  PUBSUB_GRPC_PERMISSION_DENIED, PUBSUB_GRPC_FAILED_PRECONDITION};
  static const int transient[] = {
      PUBSUB_GRPC_ABORTED,     PUBSUB_GRPC_CANCELLED,          PUBSUB_GRPC_INTERNAL,
      PUBSUB_GRPC_UNAVAILABLE, PUBSUB_GRPC_RESOURCE_EXHAUSTED, PUBSUB_GRPC_DEADLINE_EXCEEDED,
      PUBSUB_GRPC_UNKNOWN};
  struct pubsub_rng rng;
  struct pubsub_error why = {0};
  uint64_t delay, now = 1000, ceiling = 100000;
  (void)state;
  pubsub_rng_seed(&rng, 8);
  for (size_t i = 0; i < 4; i++) {
    struct pubsub_retry retry;
    pubsub_retry_init(&retry, &limits);
    pubsub_retry_attempt_us(&retry, &limits, now);
    pubsub_error_set_grpc(&why, permanent[i], "no");
    assert_false(pubsub_retry_again(&retry, &limits, &why, now, &rng, &delay));
  }
  for (size_t i = 0; i < sizeof transient / sizeof *transient; i++) {
    struct pubsub_retry retry;
    pubsub_retry_init(&retry, &limits);
    pubsub_retry_attempt_us(&retry, &limits, now);
    pubsub_error_set_grpc(&why, transient[i], "later");
    assert_true(pubsub_retry_again(&retry, &limits, &why, now, &rng, &delay));
  }
  struct pubsub_retry retry;
  pubsub_retry_init(&retry, &limits);
  pubsub_retry_attempt_us(&retry, &limits, now);
  struct pubsub_error utf8 = {0};
  pubsub_error_set_grpc(&utf8, PUBSUB_GRPC_INTERNAL, "string field contains invalid UTF-8");
  assert_false(pubsub_retry_again(&retry, &limits, &utf8, now, &rng, &delay));
  while (pubsub_retry_again(&retry, &limits, &why, now, &rng, &delay)) {
    assert_true(delay >= ceiling && delay <= ceiling + ceiling / 4);
    ceiling = ceiling * 2 > 60000000 ? 60000000 : ceiling * 2;
    now += delay;
    assert_true(pubsub_retry_attempt_us(&retry, &limits, now) <= limits.call_timeout_us);
  }
  assert_true(now <= 600001000 && now >= 600000000 - 60000000); /* in total, from the first send */
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(what_is_retried, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
