#include "world.h"

static void an_ack_id_names_one_delivery(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  char first[ACK_ID_BYTES + 1], second[ACK_ID_BYTES + 1];
  (void)state;
  world_set_up(&world);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  take_all(&consumer);
  lending_ack_id(world.subscription, consumer.got[0], first);
  assert_ptr_equal(lending_find(world.subscription, pubsub_view_str(first)), consumer.got[0]);
  backlog_set_deadline(world.subscription, consumer.got[0], 0);
  assert_null(lending_find(world.subscription, pubsub_view_str(first)));
  take_all(&consumer);
  lending_ack_id(world.subscription, consumer.got[1], second);
  assert_string_not_equal(first, second);
  assert_null(lending_find(world.subscription, pubsub_view_str(first)));
  assert_true(lending_knows(world.subscription, pubsub_view_str(first)));
  world_tear_down(&world);
}

static void an_ack_id_is_of_one_subscription(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  char id[ACK_ID_BYTES + 1];
  (void)state;
  world_set_up(&world);
  struct subscription *other = add_subscription(&world, "projects/p/subscriptions/other");
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  take_all(&consumer);
  lending_ack_id(world.subscription, consumer.got[0], id);
  assert_null(lending_find(other, pubsub_view_str(id)));
  assert_false(lending_knows(other, pubsub_view_str(id)));
  world_tear_down(&world);
}

static void nonsense_names_nothing(void **state) {
  static const char *const bad[] = {"", "x", "0000000000000001000000000000000000000000000000000",
                                    "000000000000000g000000000000000000000001",
                                    "0000000000000001ffffffff0000000000000001"};
  struct test_world world;
  (void)state;
  world_set_up(&world);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_null(lending_find(world.subscription, pubsub_view_str(bad[i])));
  world_tear_down(&world);
}

static void slots_are_used_again(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  for (int i = 0; i < 1000; i++) {
    consume(&consumer, world.subscription, 0);
    publish(&world, "a", NULL);
    publish(&world, "b", NULL);
    assert_string_equal(take_all(&consumer), "ab");
    backlog_acknowledge(world.subscription, consumer.got[i % 2]);
    backlog_acknowledge(world.subscription, consumer.got[1 - i % 2]);
  }
  assert_int_equal(world.subscription->slot_count, 2);
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(an_ack_id_names_one_delivery, no_leaks),
      cmocka_unit_test_teardown(an_ack_id_is_of_one_subscription, no_leaks),
      cmocka_unit_test_teardown(nonsense_names_nothing, no_leaks),
      cmocka_unit_test_teardown(slots_are_used_again, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
