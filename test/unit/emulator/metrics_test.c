#include "world.h"

#include "pages/metrics.h"

static bool tells(struct test_world *world, const char *line) {
  struct pubsub_buf out = {0};
  assert_int_equal(metrics_print(&out, &world->broker), PUBSUB_OK);
  assert_int_equal(pubsub_buf_append(&out, "", 1), PUBSUB_OK);
  bool found = strstr((const char *)out.ptr, line) != NULL;
  if (!found) print_message("%s", (const char *)out.ptr);
  pubsub_buf_clear(&out);
  return found;
}

static void what_there_is(void **state) {
  struct test_world world;
  (void)state;
  world_set_up(&world);
  assert_true(tells(&world, "# TYPE pubsub_emulator_topics gauge\npubsub_emulator_topics 1\n"));
  assert_true(tells(&world, "pubsub_emulator_subscriptions 1\n"));
  assert_true(tells(&world, "pubsub_emulator_clock_ahead_seconds 0\n"));
  world_tear_down(&world);
}

static void what_happens_to_messages(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  publish(&world, "b", NULL);
  world_pass(&world, 3 * SECOND);
  take_all(&consumer);
  backlog_acknowledge(world.subscription, consumer.got[0]);
#define OF_SUBSCRIPTION "{subscription=\"" SUBSCRIPTION "\"} "
  assert_true(tells(&world, "pubsub_emulator_published_messages_total{topic=\"" TOPIC "\"} 2\n"));
  assert_true(tells(&world, "pubsub_emulator_delivered_messages_total" OF_SUBSCRIPTION "2\n"));
  assert_true(tells(&world, "pubsub_emulator_acknowledged_messages_total" OF_SUBSCRIPTION "1\n"));
  assert_true(tells(&world, "pubsub_emulator_backlog_messages" OF_SUBSCRIPTION "1\n"));
  assert_true(tells(&world, "pubsub_emulator_lent_messages" OF_SUBSCRIPTION "1\n"));
  assert_true(tells(&world, "pubsub_emulator_ready_messages" OF_SUBSCRIPTION "0\n"));
  assert_true(tells(&world, "pubsub_emulator_oldest_message_age_seconds" OF_SUBSCRIPTION "3\n"));
  world_tear_down(&world);
}

static void names_cannot_end_a_label(void **state) {
  struct test_world world;
  (void)state;
  world_set_up(&world);
  add_topic(&world, "projects/a\"b\\c\nd/topics/t");
  assert_true(tells(&world, "{topic=\"projects/a\\\"b\\\\c\\nd/topics/t\"} 0\n"));
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_there_is),
                                     cmocka_unit_test(what_happens_to_messages),
                                     cmocka_unit_test(names_cannot_end_a_label)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
