#include "world.h"

#include "faults/faults.h"
#include "model/policy.h"
#include "pages/reset.h"

static void nothing_is_left(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  struct faults faults;
  (void)state;
  world_set_up(&world);
  faults_init(&faults, 1);
  world.broker.faults = &faults;
  assert_int_equal(faults_add(&faults, "* stall", NULL), PUBSUB_OK);
  consume(&consumer, world.subscription, 1);
  pubsub_list_push_back(&world.subscription->streams, &consumer.consumer.link);
  publish(&world, "a", NULL);
  reset_all(&world.broker);
  assert_int_equal(consumer.ended, PUBSUB_GRPC_NOT_FOUND);
  assert_null(broker_topic(&world.broker, TOPIC));
  assert_null(broker_subscription(&world.broker, SUBSCRIPTION));
  assert_int_equal(faults.count, 0);
  assert_int_equal(world.broker.world.record.count, 0);
  add_topic(&world, TOPIC); /* and all can be made again */
  assert_non_null(broker_topic(&world.broker, TOPIC));
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_left)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
