#include "world.h"

#define DAY (86400 * SECOND)

static void expire_after(struct subscription *subscription, int64_t seconds) {
  Google__Pubsub__V1__ExpirationPolicy *policy = calloc(1, sizeof *policy);
  google__pubsub__v1__expiration_policy__init(policy);
  if (seconds) {
    policy->ttl = calloc(1, sizeof *policy->ttl);
    google__protobuf__duration__init(policy->ttl);
    policy->ttl->seconds = seconds;
  }
  subscription->config->expiration_policy = policy;
}

static void it_expires_when_nobody_uses_it(void **state) {
  struct test_world world;
  (void)state;
  world_set_up(&world);
  expire_after(world.subscription, 86400);
  world.now_us += DAY - 1;
  assert_false(subscription_is_over(world.subscription));
  subscription_touch(world.subscription);
  world.now_us += DAY - 1;
  assert_false(subscription_is_over(world.subscription));
  assert_true(broker_advance(&world.broker, 1));
  assert_null(broker_subscription(&world.broker, SUBSCRIPTION));
  world_tear_down(&world);
}

static void a_consumer_keeps_it(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  expire_after(world.subscription, 86400);
  consume(&consumer, world.subscription, 1);
  pubsub_list_push_back(&world.subscription->streams, &consumer.consumer.link);
  world.now_us += 10 * DAY;
  assert_false(subscription_is_over(world.subscription));
  pubsub_list_remove(&consumer.consumer.link);
  world.now_us += DAY;
  assert_true(subscription_is_over(world.subscription));
  world_tear_down(&world);
}

static void without_a_life_it_stays(void **state) {
  struct test_world world;
  (void)state;
  world_set_up(&world);
  expire_after(world.subscription, 0);
  assert_true(broker_advance(&world.broker, 30000 * DAY));
  assert_non_null(broker_subscription(&world.broker, SUBSCRIPTION));
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(it_expires_when_nobody_uses_it, no_leaks),
      cmocka_unit_test_teardown(a_consumer_keeps_it, no_leaks),
      cmocka_unit_test_teardown(without_a_life_it_stays, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
