#include "world.h"

static void order(struct test_world *world) {
  world->subscription->config->enable_message_ordering = 1;
}

static void a_key_comes_in_order_and_its_tail_again(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  order(&world);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", "k");
  publish(&world, "b", "k");
  publish(&world, "c", "k");
  assert_string_equal(take_all(&consumer), "abc");
  backlog_acknowledge(world.subscription, consumer.got[2]);
  backlog_acknowledge(world.subscription, consumer.got[0]);
  backlog_set_deadline(world.subscription, consumer.got[1], 0);
  assert_string_equal(take_all(&consumer), "bc"); /* c too, though it was acknowledged */
  world_tear_down(&world);
}

static void a_key_goes_to_one_consumer_at_a_time(void **state) {
  struct test_world world;
  struct test_consumer one, two;
  (void)state;
  world_set_up(&world);
  order(&world);
  consume(&one, world.subscription, 0);
  consume(&two, world.subscription, 0);
  publish(&world, "a", "k");
  assert_string_equal(take_all(&one), "a");
  publish(&world, "b", "k");
  publish(&world, "c", "other");
  publish(&world, "d", NULL);
  assert_string_equal(take_all(&two), "cd");
  backlog_acknowledge(world.subscription, one.got[0]);
  assert_string_equal(take_all(&two), "b");
  world_tear_down(&world);
}

static void what_expires_holds_up_its_key_alone(void **state) {
  struct test_world world;
  struct test_consumer one, two;
  (void)state;
  world_set_up(&world);
  order(&world);
  consume(&one, world.subscription, 0);
  consume(&two, world.subscription, 0);
  publish(&world, "a", "k");
  publish(&world, "b", "k");
  take_all(&one);
  backlog_set_deadline(world.subscription, one.got[1], 600);
  backlog_forget(world.subscription, &one.consumer);
  assert_string_equal(take_all(&two), "");
  world_pass(&world, 10 * SECOND + 20000);
  assert_string_equal(take_all(&two), "ab");
  world_tear_down(&world);
}

static void a_line_without_messages_is_no_key(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  order(&world);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", "k");
  take_all(&consumer);
  assert_int_equal(world.subscription->keys.count, 1);
  backlog_acknowledge(world.subscription, consumer.got[0]);
  assert_int_equal(world.subscription->keys.count, 0);
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_key_comes_in_order_and_its_tail_again, no_leaks),
      cmocka_unit_test_teardown(a_key_goes_to_one_consumer_at_a_time, no_leaks),
      cmocka_unit_test_teardown(what_expires_holds_up_its_key_alone, no_leaks),
      cmocka_unit_test_teardown(a_line_without_messages_is_no_key, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
