#include "world.h"

static Google__Pubsub__V1__Snapshot *new_config(int64_t expires_s) {
  Google__Pubsub__V1__Snapshot *config = calloc(1, sizeof *config);
  google__pubsub__v1__snapshot__init(config);
  config->name = strdup("projects/p/snapshots/one");
  config->expire_time = calloc(1, sizeof *config->expire_time);
  google__protobuf__timestamp__init(config->expire_time);
  config->expire_time->seconds = expires_s;
  return config;
}

static void it_is_over_after_its_time(void **state) {
  struct snapshot *snapshot = snapshot_new(new_config(1000));
  (void)state;
  assert_non_null(snapshot);
  assert_false(snapshot_is_over(snapshot, INT64_C(1000000000)));
  assert_true(snapshot_is_over(snapshot, INT64_C(1000000001)));
  snapshot_free(snapshot);
}

static void the_sweep_takes_it(void **state) {
  struct test_world world;
  (void)state;
  world_set_up(&world);
  publish(&world, "a", NULL);
  int64_t now_s = clock_wall_us(&world.broker.world.clock) / 1000000;
  assert_non_null(broker_add_snapshot(&world.broker, world.subscription, new_config(now_s + 60)));
  assert_true(broker_advance(&world.broker, 50 * SECOND));
  assert_non_null(broker_snapshot(&world.broker, "projects/p/snapshots/one"));
  assert_true(broker_advance(&world.broker, 20 * SECOND));
  assert_null(broker_snapshot(&world.broker, "projects/p/snapshots/one"));
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(it_is_over_after_its_time, no_leaks),
      cmocka_unit_test_teardown(the_sweep_takes_it, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
