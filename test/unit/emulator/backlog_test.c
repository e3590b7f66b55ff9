#include "world.h"

static void what_is_acknowledged_never_comes_again(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  publish(&world, "b", NULL);
  assert_string_equal(take_all(&consumer), "ab");
  assert_int_equal(consumer.consumer.outstanding_messages, 2);
  backlog_acknowledge(world.subscription, consumer.got[0]);
  assert_int_equal(consumer.consumer.outstanding_messages, 1);
  world_pass(&world, 60 * SECOND);
  assert_string_equal(take_all(&consumer), "b");
  world_tear_down(&world);
}

static void a_nack_brings_it_again_at_once_and_first(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  assert_string_equal(take_all(&consumer), "a");
  publish(&world, "b", NULL);
  backlog_set_deadline(world.subscription, consumer.got[0], 0);
  assert_string_equal(take_all(&consumer), "ab");
  assert_int_equal(consumer.got[1]->attempts, 2);
  world_tear_down(&world);
}

static void a_lease_ends_when_it_is_due_and_not_before(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  take_all(&consumer);
  backlog_set_deadline(world.subscription, consumer.got[0], 30);
  world_pass(&world, 29 * SECOND);
  assert_string_equal(take_all(&consumer), "");
  world_pass(&world, 1 * SECOND + 20000);
  assert_string_equal(take_all(&consumer), "a");
  world_tear_down(&world);
}

static void a_retry_policy_makes_it_wait_ever_longer(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  Google__Pubsub__V1__RetryPolicy *policy = calloc(1, sizeof *policy);
  (void)state;
  world_set_up(&world);
  google__pubsub__v1__retry_policy__init(policy);
  world.subscription->config->retry_policy = policy; /* 10 s, doubling */
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  for (uint64_t wait = 10; wait <= 80; wait *= 2) {
    assert_string_equal(take_all(&consumer), "a");
    backlog_set_deadline(world.subscription, consumer.got[consumer.count - 1], 0);
    world_pass(&world, (wait - 1) * SECOND);
    assert_string_equal(take_all(&consumer), "");
    assert_int_equal(world.subscription->waiting_count, 1);
    world_pass(&world, SECOND + 20000);
  }
  assert_string_equal(take_all(&consumer), "a");
  world_tear_down(&world);
}

static void what_did_not_fit_was_not_delivered(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  take_all(&consumer);
  size_t events = world.broker.world.record.count;
  backlog_unlend(world.subscription, consumer.got[0]);
  assert_int_equal(world.broker.world.record.count, events - 1);
  assert_string_equal(take_all(&consumer), "a");
  assert_int_equal(consumer.got[1]->attempts, 1);
  world_tear_down(&world);
}

static void what_a_consumer_leaves_stays_lent_until_its_deadline(void **state) {
  struct test_world world;
  struct test_consumer gone, next;
  (void)state;
  world_set_up(&world);
  consume(&gone, world.subscription, 0);
  consume(&next, world.subscription, 0);
  publish(&world, "a", NULL);
  take_all(&gone);
  backlog_forget(world.subscription, &gone.consumer);
  assert_int_equal(gone.consumer.outstanding_messages, 0);
  assert_string_equal(take_all(&next), "");
  world_pass(&world, 10 * SECOND + 20000);
  assert_string_equal(take_all(&next), "a");
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(what_is_acknowledged_never_comes_again, no_leaks),
      cmocka_unit_test_teardown(a_nack_brings_it_again_at_once_and_first, no_leaks),
      cmocka_unit_test_teardown(a_lease_ends_when_it_is_due_and_not_before, no_leaks),
      cmocka_unit_test_teardown(a_retry_policy_makes_it_wait_ever_longer, no_leaks),
      cmocka_unit_test_teardown(what_did_not_fit_was_not_delivered, no_leaks),
      cmocka_unit_test_teardown(what_a_consumer_leaves_stays_lent_until_its_deadline, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
