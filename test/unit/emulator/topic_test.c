#include "world.h"

static void keep_for(struct topic *topic, int64_t seconds) {
  topic->config->message_retention_duration =
      calloc(1, sizeof *topic->config->message_retention_duration);
  google__protobuf__duration__init(topic->config->message_retention_duration);
  topic->config->message_retention_duration->seconds = seconds;
}

static void it_retains_for_as_long_as_it_is_told(void **state) {
  struct test_world world;
  (void)state;
  world_set_up(&world);
  publish(&world, "a", NULL);
  assert_true(pubsub_list_empty(&world.topic->retained));
  keep_for(world.topic, 600);
  publish(&world, "b", NULL);
  int64_t now = clock_wall_us(&world.broker.world.clock);
  topic_sweep(world.topic, now + INT64_C(600) * (int64_t)SECOND);
  assert_false(pubsub_list_empty(&world.topic->retained));
  topic_sweep(world.topic, now + INT64_C(600) * (int64_t)SECOND + 1);
  assert_true(pubsub_list_empty(&world.topic->retained));
  world_tear_down(&world);
}

static void its_subscriptions_outlive_it(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  broker_remove_topic(&world.broker, world.topic);
  assert_null(world.subscription->topic);
  assert_string_equal(take_all(&consumer), "a");
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(it_retains_for_as_long_as_it_is_told, no_leaks),
      cmocka_unit_test_teardown(its_subscriptions_outlive_it, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
