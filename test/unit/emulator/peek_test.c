#include "world.h"

#include "pages/peek.h"

static void expect(const struct test_world *world, size_t most, const char *expected) {
  struct pubsub_buf out = {0};
  assert_int_equal(peek_print(&out, world->subscription, most), PUBSUB_OK);
  assert_int_equal(pubsub_buf_append(&out, "", 1), PUBSUB_OK);
  assert_string_equal((const char *)out.ptr, expected);
  pubsub_buf_clear(&out);
}

#define ONE(STATE, ATTEMPTS, DATA, ID)                                                             \
  "{\"state\":\"" STATE "\",\"attempts\":" ATTEMPTS ",\"message\":{\"data\":\"" DATA               \
  "\",\"messageId\":\"" ID "\",\"publishTime\":\"2023-11-14T22:30:00Z\"}}"

static void nothing_is_taken(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  (void)state;
  world_set_up(&world);
  expect(&world, 9, "{\"messages\":[]}\n");
  publish(&world, "a", NULL);
  publish(&world, "b", NULL);
  consume(&consumer, world.subscription, 1);
  test_serve(&consumer.consumer, 1);
#define BOTH                                                                                       \
  "{\"messages\":[" ONE("lent", "1", "YQ==", "1") "," ONE("ready", "0", "Yg==", "2") "]}\n"
  expect(&world, 9, BOTH);
  expect(&world, 9, BOTH);
  expect(&world, 1, "{\"messages\":[" ONE("lent", "1", "YQ==", "1") "]}\n");
  backlog_acknowledge(world.subscription, consumer.got[0]);
  expect(&world, 9, "{\"messages\":[" ONE("ready", "0", "Yg==", "2") "]}\n");
  assert_int_equal(world.subscription->ready_count, 1);
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_taken)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
