#include "world.h"

#include "model/seek.h"

static void to_a_time_with_what_was_retained(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  world.subscription->config->retain_acked_messages = 1;
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  world.now_us += SECOND;
  int64_t middle = clock_wall_us(&world.broker.world.clock);
  publish(&world, "b", NULL);
  publish(&world, "c", NULL);
  take_all(&consumer);
  for (int i = 0; i < 3; i++)
    backlog_acknowledge(world.subscription, consumer.got[i]);
  seek_to_time(world.subscription, middle);
  assert_string_equal(take_all(&consumer), "bc");
  seek_to_time(world.subscription, 0);
  assert_string_equal(take_all(&consumer), "abc");
  seek_to_time(world.subscription, INT64_MAX);
  assert_string_equal(take_all(&consumer), "");
  world_tear_down(&world);
}

static void leases_end_with_it(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  char id[ACK_ID_BYTES + 1];
  (void)state;
  world_set_up(&world);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  take_all(&consumer);
  lending_ack_id(world.subscription, consumer.got[0], id);
  seek_to_time(world.subscription, 0);
  assert_null(lending_find(world.subscription, pubsub_view_str(id)));
  assert_string_equal(take_all(&consumer), "a");
  assert_int_equal(consumer.got[1]->attempts, 1);
  world_tear_down(&world);
}

static void to_a_snapshot(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  Google__Pubsub__V1__Snapshot *config = calloc(1, sizeof *config);
  (void)state;
  world_set_up(&world);
  google__pubsub__v1__snapshot__init(config);
  config->name = strdup("projects/p/snapshots/one");
  config->expire_time = calloc(1, sizeof *config->expire_time);
  google__protobuf__timestamp__init(config->expire_time);
  config->expire_time->seconds = 4000000000;
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  publish(&world, "b", NULL);
  take_all(&consumer);
  backlog_acknowledge(world.subscription, consumer.got[0]);
  struct snapshot *snapshot = broker_add_snapshot(&world.broker, world.subscription, config);
  assert_non_null(snapshot);
  backlog_acknowledge(world.subscription, consumer.got[1]);
  publish(&world, "c", NULL); /* later ones are part of it */
  assert_string_equal(take_all(&consumer), "c");
  seek_to_snapshot(world.subscription, snapshot);
  assert_string_equal(take_all(&consumer), "bc");
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(to_a_time_with_what_was_retained, no_leaks),
      cmocka_unit_test_teardown(leases_end_with_it, no_leaks),
      cmocka_unit_test_teardown(to_a_snapshot, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
