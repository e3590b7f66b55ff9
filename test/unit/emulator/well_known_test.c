#include "support.h"

#include "google/pubsub/v1/pubsub.pb-c.h"
#include "rpc/well_known.h"
#include <stdbool.h>

static void a_bad_duration_is_found_at_any_depth(void **state) {
  Google__Protobuf__Duration far = GOOGLE__PROTOBUF__DURATION__INIT;
  Google__Pubsub__V1__RetryPolicy retry = GOOGLE__PUBSUB__V1__RETRY_POLICY__INIT;
  Google__Pubsub__V1__Subscription config = GOOGLE__PUBSUB__V1__SUBSCRIPTION__INIT;
  Google__Pubsub__V1__UpdateSubscriptionRequest update =
      GOOGLE__PUBSUB__V1__UPDATE_SUBSCRIPTION_REQUEST__INIT;
  (void)state;
  update.subscription = &config;
  config.retry_policy = &retry;
  retry.maximum_backoff = &far;
  static const struct {
    int64_t seconds;
    int32_t nanos;
    bool good;
  } cases[] = {{0, 0, true},
               {315576000000, 999999999, true},
               {-315576000000, -999999999, true},
               {315576000001, 0, false},
               {INT64_MIN, 0, false},
               {1, -1, false},
               {-1, 1, false},
               {0, -1, true},
               {0, 1000000000, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    far.seconds = cases[i].seconds;
    far.nanos = cases[i].nanos;
    const char *bad = well_known_bad_field(&update.base);
    if (cases[i].good) {
      assert_null(bad);
    } else {
      assert_string_equal(bad, "maximum_backoff");
    }
  }
}

static void only_the_chosen_member_of_a_oneof_counts(void **state) {
  Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
  Google__Pubsub__V1__SeekRequest seek = GOOGLE__PUBSUB__V1__SEEK_REQUEST__INIT;
  (void)state;
  seek.target_case = GOOGLE__PUBSUB__V1__SEEK_REQUEST__TARGET_SNAPSHOT;
  seek.snapshot = (char *)(uintptr_t) "not a message";
  assert_null(well_known_bad_field(&seek.base));
  seek.target_case = GOOGLE__PUBSUB__V1__SEEK_REQUEST__TARGET_TIME;
  seek.time = &time;
  assert_null(well_known_bad_field(&seek.base));
  time.nanos = -1;
  assert_string_equal(well_known_bad_field(&seek.base), "time");
}

static void each_of_a_repeated_field_counts(void **state) {
  Google__Protobuf__Duration far = GOOGLE__PROTOBUF__DURATION__INIT;
  Google__Pubsub__V1__Topic one = GOOGLE__PUBSUB__V1__TOPIC__INIT, two = one, *all[] = {&one, &two};
  Google__Pubsub__V1__ListTopicsResponse list = GOOGLE__PUBSUB__V1__LIST_TOPICS_RESPONSE__INIT;
  (void)state;
  list.topics = all;
  list.n_topics = 2;
  assert_null(well_known_bad_field(&list.base));
  two.message_retention_duration = &far;
  far.seconds = INT64_MAX;
  assert_string_equal(well_known_bad_field(&list.base), "message_retention_duration");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_bad_duration_is_found_at_any_depth),
      cmocka_unit_test(only_the_chosen_member_of_a_oneof_counts),
      cmocka_unit_test(each_of_a_repeated_field_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
