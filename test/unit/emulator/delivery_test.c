#include "world.h"

static void join(struct test_consumer *self, struct test_world *world, size_t room) {
  consume(self, world->subscription, room);
  pubsub_list_push_back(&world->subscription->streams, &self->consumer.link);
}

static void who_is_stirred_is_told_once(void **state) {
  struct test_world world;
  (void)state;
  world_set_up(&world);
  publish(&world, "a", NULL);
  publish(&world, "b", NULL);
  assert_int_equal(world.stirred, 1);
  delivery_run(&world.broker.world);
  publish(&world, "c", NULL);
  assert_int_equal(world.stirred, 2);
  world_tear_down(&world);
}

static void idle_streams_share(void **state) {
  struct test_world world;
  struct test_consumer consumers[3];
  (void)state;
  world_set_up(&world);
  for (int i = 0; i < 3; i++)
    join(&consumers[i], &world, 10);
  for (int i = 0; i < 9; i++)
    publish(&world, "a", NULL);
  delivery_run(&world.broker.world);
  for (int i = 0; i < 3; i++)
    assert_int_equal(consumers[i].count, 3);
  delivery_end_all(world.subscription, 5, "over");
  world_tear_down(&world);
}

static void who_has_no_room_leaves_his_share_to_others(void **state) {
  struct test_world world;
  struct test_consumer full, small, large;
  (void)state;
  world_set_up(&world);
  join(&full, &world, 0);
  join(&small, &world, 1);
  join(&large, &world, 40);
  for (int i = 0; i < 20; i++)
    publish(&world, "a", NULL);
  delivery_run(&world.broker.world);
  assert_int_equal(full.count, 0);
  assert_int_equal(small.count, 1);
  assert_int_equal(large.count, 19);
  assert_int_equal(world.subscription->ready_count, 0);
  delivery_end_all(world.subscription, 5, "over");
  world_tear_down(&world);
}

static void pulls_come_first(void **state) {
  struct test_world world;
  struct test_consumer stream, pull;
  (void)state;
  world_set_up(&world);
  join(&stream, &world, 10);
  consume(&pull, world.subscription, 1);
  pubsub_list_push_back(&world.subscription->pulls, &pull.consumer.link);
  publish(&world, "a", NULL);
  delivery_run(&world.broker.world);
  assert_int_equal(pull.count, 1);
  assert_int_equal(stream.count, 0);
  delivery_end_all(world.subscription, 9, "over");
  assert_int_equal(stream.ended, 9);
  assert_int_equal(pull.ended, 9);
  world_tear_down(&world);
}

static void nobody_is_asked_for_ever(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  publish(&world, "a", NULL);
  delivery_run(&world.broker.world); /* nobody there */
  join(&consumer, &world, 0);
  delivery_wake(world.subscription);
  delivery_run(&world.broker.world); /* nobody who takes it */
  assert_int_equal(world.subscription->ready_count, 1);
  delivery_end_all(world.subscription, 5, "over");
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(who_is_stirred_is_told_once, no_leaks),
      cmocka_unit_test_teardown(idle_streams_share, no_leaks),
      cmocka_unit_test_teardown(who_has_no_room_leaves_his_share_to_others, no_leaks),
      cmocka_unit_test_teardown(pulls_come_first, no_leaks),
      cmocka_unit_test_teardown(nobody_is_asked_for_ever, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
