#include "world.h"

/* a lent, b waiting for a retry, c ready, d and e of a key (d lent). */
static void fill(struct test_world *world, struct test_consumer *consumer) {
  Google__Pubsub__V1__RetryPolicy *policy = calloc(1, sizeof *policy);
  google__pubsub__v1__retry_policy__init(policy);
  world_set_up(world);
  world->subscription->config->retry_policy = policy;
  world->subscription->config->enable_message_ordering = 1;
  consume(consumer, world->subscription, 0);
  publish(world, "a", NULL);
  publish(world, "b", NULL);
  publish(world, "d", "k");
  take_all(consumer);
  for (size_t i = 0; i < consumer->count; i++) {
    if (letter_of(consumer->got[i]) == 'b') {
      backlog_set_deadline(world->subscription, consumer->got[i], 0);
    }
  }
  world->now_us += SECOND;
  publish(world, "c", NULL);
  publish(world, "e", "k");
}

static void they_are_counted_wherever_they_are(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  fill(&world, &consumer);
  assert_int_equal(contents_count(world.subscription), 5);
  assert_int_equal(contents_oldest_us(world.subscription),
                   clock_wall_us(&world.broker.world.clock) - (int64_t)SECOND);
  contents_clear(world.subscription);
  assert_int_equal(contents_count(world.subscription), 0);
  assert_true(contents_oldest_us(world.subscription) == INT64_MAX);
  world_tear_down(&world);
}

static void copies_are_in_the_order_of_publishing(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  struct pubsub_list copies;
  char letters[8];
  size_t count = 0;
  (void)state;
  fill(&world, &consumer);
  pubsub_list_init(&copies);
  assert_int_equal(contents_copy(world.subscription, &copies), PUBSUB_OK);
  for (struct pubsub_list *link = copies.next; link != &copies; link = link->next)
    letters[count++] = letter_of(PUBSUB_CONTAINER_OF(link, struct message, link));
  letters[count] = '\0';
  assert_string_equal(letters, "abdce");
  assert_int_equal(contents_count(world.subscription), 5);
  messages_free(&copies);
  world_tear_down(&world);
}

static void the_old_are_swept_and_the_lent_stay(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  fill(&world, &consumer);
  int64_t week = INT64_C(7 * 86400) * (int64_t)SECOND;
  contents_sweep(world.subscription, clock_wall_us(&world.broker.world.clock) + week - 1);
  assert_int_equal(contents_count(world.subscription), 4); /* without b */
  contents_sweep(world.subscription, clock_wall_us(&world.broker.world.clock) + week + 1);
  assert_int_equal(contents_count(world.subscription), 3); /* a, d lent; e behind d */
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(they_are_counted_wherever_they_are, no_leaks),
      cmocka_unit_test_teardown(copies_are_in_the_order_of_publishing, no_leaks),
      cmocka_unit_test_teardown(the_old_are_swept_and_the_lent_stay, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
