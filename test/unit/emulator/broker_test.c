#include "world.h"

#include "base/alloc.h"

static void each_subscription_has_its_copy(void **state) {
  struct test_world world;
  struct test_consumer one, two;
  (void)state;
  world_set_up(&world);
  struct subscription *other = add_subscription(&world, "projects/p/subscriptions/other");
  publish(&world, "a", NULL);
  consume(&one, world.subscription, 0);
  consume(&two, other, 0);
  assert_string_equal(take_all(&one), "a");
  assert_string_equal(take_all(&two), "a");
  assert_ptr_equal(one.got[0]->block, two.got[0]->block); /* its bytes are there once */
  world_tear_down(&world);
}

static void things_are_found_by_their_names(void **state) {
  struct test_world world;
  (void)state;
  world_set_up(&world);
  assert_ptr_equal(broker_topic(&world.broker, TOPIC), world.topic);
  assert_ptr_equal(broker_subscription(&world.broker, SUBSCRIPTION), world.subscription);
  assert_null(broker_topic(&world.broker, OTHER_TOPIC));
  assert_null(broker_snapshot(&world.broker, TOPIC));
  broker_remove_topic(&world.broker, world.topic);
  assert_null(broker_topic(&world.broker, TOPIC));
  assert_null(world.subscription->topic);
  broker_remove_subscription(&world.broker, world.subscription);
  assert_null(broker_subscription(&world.broker, SUBSCRIPTION));
  world_tear_down(&world);
}

static void what_is_too_old_is_swept(void **state) {
  struct test_world world;
  (void)state;
  world_set_up(&world);
  world.subscription->config->expiration_policy = NULL;
  publish(&world, "a", NULL);
  assert_true(broker_advance(&world.broker, 7 * 86400 * SECOND - SECOND));
  assert_int_equal(contents_count(world.subscription), 1);
  assert_true(broker_advance(&world.broker, 2 * SECOND));
  assert_int_equal(contents_count(world.subscription), 0);
  world_tear_down(&world);
}

static void a_dead_letter_goes_to_its_topic(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  Google__Pubsub__V1__DeadLetterPolicy *policy = calloc(1, sizeof *policy);
  (void)state;
  world_set_up(&world);
  struct topic *graveyard = add_topic(&world, OTHER_TOPIC);
  struct subscription *grave = add_subscription(&world, "projects/p/subscriptions/grave");
  pubsub_list_remove(&grave->topic_link);
  pubsub_list_push_back(&graveyard->subscriptions, &grave->topic_link);
  google__pubsub__v1__dead_letter_policy__init(policy);
  policy->dead_letter_topic = strdup(OTHER_TOPIC);
  policy->max_delivery_attempts = 5;
  world.subscription->config->dead_letter_policy = policy;
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  for (int i = 0; i < 5; i++) {
    assert_int_equal(contents_count(grave), 0);
    assert_string_equal(take_all(&consumer), "a");
    backlog_set_deadline(world.subscription, consumer.got[i], 0);
  }
  assert_int_equal(contents_count(world.subscription), 0);
  assert_int_equal(contents_count(grave), 1);
  world_tear_down(&world);
}

/* For the second of two subscriptions: the publisher is told, and the first one's copy stays. */
static void publishing_without_memory(void **state) {
  struct test_world world;
  struct pubsub_buf bytes = {0};
  (void)state;
  world_set_up(&world);
  world.broker.world.record.on = false;
  add_subscription(&world, "projects/p/subscriptions/other");
  pubsub_buf_append(&bytes, "\x0a\x01x", 3);
  struct block *block = block_new(&bytes);
  pubsub_alloc_fail_after(2);
  assert_int_equal(broker_publish(&world.broker, world.topic, block, 0, 3, 1, 1), PUBSUB_E_NOMEM);
  pubsub_alloc_fail_after(0);
  assert_int_equal(block->refs, 2);
  block_unref(block);
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(each_subscription_has_its_copy, no_leaks),
      cmocka_unit_test_teardown(things_are_found_by_their_names, no_leaks),
      cmocka_unit_test_teardown(what_is_too_old_is_swept, no_leaks),
      cmocka_unit_test_teardown(a_dead_letter_goes_to_its_topic, no_leaks),
      cmocka_unit_test_teardown(publishing_without_memory, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
