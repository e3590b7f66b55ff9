#include "world.h"

#include "preset.h"

static void what_the_command_line_asks_for(void **state) {
  struct test_world world;
  (void)state;
  world_set_up(&world);
  assert_int_equal(preset_topic(&world.broker, OTHER_TOPIC, NULL), PUBSUB_OK);
  assert_int_equal(preset_topic(&world.broker, OTHER_TOPIC, NULL), PUBSUB_OK); /* it is there */
  assert_int_equal(preset_subscription(&world.broker,
                                       "projects/p/subscriptions/two=projects/p/topics/new", NULL),
                   PUBSUB_OK);
  assert_non_null(broker_topic(&world.broker, "projects/p/topics/new"));
  const struct subscription *made =
      broker_subscription(&world.broker, "projects/p/subscriptions/two");
  assert_int_equal(made->config->ack_deadline_seconds, 10);
  world_tear_down(&world);
}

static void what_it_cannot(void **state) {
  static const struct {
    const char *text, *says;
  } bad[] = {{"projects/p/subscriptions/two", "topic"},
             {"two=" TOPIC, "projects/PROJECT"},
             {"projects/p/subscriptions/xy=" TOPIC, "3 to 255"},
             {"projects/p/subscriptions/two=topic1", "topics/NAME"},
             {SUBSCRIPTION "=" TOPIC, "already"}};
  struct test_world world;
  (void)state;
  world_set_up(&world);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct pubsub_error error = {0};
    assert_int_equal(preset_subscription(&world.broker, bad[i].text, &error), PUBSUB_E_INVALID);
    assert_non_null(strstr(error.text, bad[i].says));
  }
  world_tear_down(&world);
}

static void projects_of_the_environment(void **state) {
  struct test_world world;
  struct pubsub_error error = {0};
  (void)state;
  world_set_up(&world);
  for (int again = 0; again < 2; again++)
    assert_int_equal(preset_project(&world.broker, "dev,orders:one:two,plain", NULL), PUBSUB_OK);
  assert_non_null(broker_topic(&world.broker, "projects/dev/topics/plain"));
  assert_string_equal(
      broker_subscription(&world.broker, "projects/dev/subscriptions/two")->config->topic,
      "projects/dev/topics/orders");
  assert_int_equal(preset_project(&world.broker, "dev", NULL), PUBSUB_OK);
  assert_int_equal(preset_project(&world.broker, "", &error), PUBSUB_E_INVALID);
  assert_int_equal(preset_project(&world.broker, "dev,ab", &error), PUBSUB_E_INVALID);
  assert_non_null(strstr(error.text, "3 to 255"));
  assert_int_equal(preset_project(&world.broker, "dev,orders:a b", &error), PUBSUB_E_INVALID);
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(what_the_command_line_asks_for, no_leaks),
      cmocka_unit_test_teardown(what_it_cannot, no_leaks),
      cmocka_unit_test_teardown(projects_of_the_environment, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
