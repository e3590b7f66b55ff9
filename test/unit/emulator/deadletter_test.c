#include "world.h"

static Google__Pubsub__V1__DeadLetterPolicy *policy_to(const char *topic) {
  Google__Pubsub__V1__DeadLetterPolicy *policy = calloc(1, sizeof *policy);
  google__pubsub__v1__dead_letter_policy__init(policy);
  policy->dead_letter_topic = strdup(topic);
  policy->max_delivery_attempts = 5;
  return policy;
}

static void it_says_where_it_came_from(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  world.subscription->config->dead_letter_policy = policy_to(TOPIC); /* to itself */
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  take_all(&consumer);
  struct message *message = consumer.got[0];
  message->attempts = 4;
  assert_false(deadletter_publish(&world.broker, world.subscription, message));
  message->attempts = 5;
  assert_true(deadletter_publish(&world.broker, world.subscription, message));
  take_all(&consumer);
  struct pubsub_view letter = message_view(consumer.got[1]);
  static const char *const parts[] = {"CloudPubSubDeadLetterSourceSubscription",
                                      "sub1",
                                      "CloudPubSubDeadLetterSourceSubscriptionProject",
                                      "CloudPubSubDeadLetterSourceTopicPublishTime",
                                      "2023-",
                                      "CloudPubSubDeadLetterSourceDeliveryCount",
                                      "5"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    assert_non_null(memmem(letter.ptr, letter.len, parts[i], strlen(parts[i])));
  assert_int_equal(letter_of(consumer.got[1]), 'a');
  world_tear_down(&world);
}

static void without_its_topic_it_goes_on_being_delivered(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  world.subscription->config->dead_letter_policy = policy_to(OTHER_TOPIC);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  take_all(&consumer);
  consumer.got[0]->attempts = 50;
  assert_false(deadletter_publish(&world.broker, world.subscription, consumer.got[0]));
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(it_says_where_it_came_from, no_leaks),
      cmocka_unit_test_teardown(without_its_topic_it_goes_on_being_delivered, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
