#include "world.h"

#include "faults/faults.h"
#include "pages/state.h"

static void what_the_page_shows(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  struct faults faults;
  struct pubsub_buf out = {0};
  (void)state;
  world_set_up(&world);
  faults_init(&faults, 1);
  world.broker.faults = &faults;
  assert_int_equal(faults_add(&faults, "* stall", NULL), PUBSUB_OK);
  consume(&consumer, world.subscription, 0);
  publish(&world, "a", NULL);
  publish(&world, "b", NULL);
  take_all(&consumer);
  backlog_acknowledge(world.subscription, consumer.got[0]);
  assert_int_equal(state_print(&out, &world.broker), PUBSUB_OK);
  assert_int_equal(pubsub_buf_append(&out, "", 1), PUBSUB_OK);
  assert_string_equal(
      (const char *)out.ptr,
      "{\"topics\":[{\"name\":\"" TOPIC "\",\"published\":2}],\"subscriptions\":[{\"name\":"
      "\"" SUBSCRIPTION "\",\"topic\":\"" TOPIC "\",\"backlog\":1,\"ready\":0,\"lent\":1,"
      "\"delivered\":2,\"acknowledged\":1,\"streams\":0}],\"faults\":"
      "\"* stall probability=1 seen=0 hits=0\\n\",\"events\":5,\"timeUs\":1700001000000000,"
      "\"aheadUs\":0,\"recording\":true}\n");
  pubsub_buf_clear(&out);
  faults_clear(&faults);
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_the_page_shows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
