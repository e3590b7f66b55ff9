#include "world.h"

#include "model/retention.h"

static void acknowledged_messages_are_kept_where_it_is_asked_for(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  consume(&consumer, world.subscription, 0);
  for (int kept = 0; kept < 2; kept++) {
    world.subscription->config->retain_acked_messages = kept;
    publish(&world, "a", NULL);
    take_all(&consumer);
    backlog_acknowledge(world.subscription, consumer.got[kept]);
    assert_int_equal(pubsub_list_empty(&world.subscription->retained), !kept);
    assert_int_equal(contents_count(world.subscription), 0);
  }
  world_tear_down(&world);
}

static void it_begins_a_week_ago_unless_told(void **state) {
  struct test_world world;
  Google__Protobuf__Duration *hour = calloc(1, sizeof *hour);
  (void)state;
  world_set_up(&world);
  assert_true(retention_begins_us(world.subscription, INT64_C(1000000000000)) ==
              INT64_C(1000000000000) - INT64_C(7 * 86400) * 1000000);
  google__protobuf__duration__init(hour);
  hour->seconds = 3600;
  world.subscription->config->message_retention_duration = hour;
  assert_true(retention_begins_us(world.subscription, INT64_C(4600000000)) == INT64_C(1000000000));
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(acknowledged_messages_are_kept_where_it_is_asked_for, no_leaks),
      cmocka_unit_test_teardown(it_begins_a_week_ago_unless_told, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
