#include "world.h"

#include "model/times.h"

struct ring {
  struct alarm alarm;
  int count;
  struct clock *clock;
  uint64_t again_us;
};

static void on_ring(struct alarm *alarm) {
  struct ring *ring = PUBSUB_CONTAINER_OF(alarm, struct ring, alarm);
  ring->count++;
  if (ring->again_us)
    clock_alarm_set(ring->clock, alarm, clock_now_us(ring->clock) + ring->again_us);
}

static void alarms_ring_once_when_they_are_due(void **state) {
  struct test_world world = {.now_us = 100, .woken_us = UINT64_MAX};
  struct clock clock;
  struct ring first = {.alarm.run = on_ring}, second = {.alarm.run = on_ring};
  (void)state;
  clock_init(&clock, &test_source, &world);
  clock_alarm_set(&clock, &second.alarm, 300);
  assert_int_equal(world.woken_us, 300);
  clock_alarm_set(&clock, &first.alarm, 200);
  assert_int_equal(world.woken_us, 200);
  world.now_us = 199;
  clock_run(&clock);
  assert_int_equal(first.count, 0);
  world.now_us = 200;
  clock_run(&clock);
  assert_int_equal(first.count, 1);
  assert_int_equal(second.count, 0);
  assert_int_equal(world.woken_us, 300); /* what is left is wished for again */
  clock_alarm_cancel(&clock, &second.alarm);
  world.now_us = 1000;
  clock_run(&clock);
  assert_int_equal(first.count, 1);
  assert_int_equal(second.count, 0);
  clock_clear(&clock);
}

static void the_clock_is_ahead_by_what_it_was_advanced(void **state) {
  struct test_world world = {.now_us = 100, .woken_us = UINT64_MAX};
  struct clock clock;
  struct ring ring = {.alarm.run = on_ring};
  (void)state;
  clock_init(&clock, &test_source, &world);
  int64_t wall = clock_wall_us(&clock);
  clock_alarm_set(&clock, &ring.alarm, 1000);
  assert_true(clock_advance(&clock, 800));
  assert_int_equal(ring.count, 0);
  assert_int_equal(clock_now_us(&clock), 900);
  assert_int_equal(clock_wall_us(&clock), wall + 800);
  clock_run(&clock);
  assert_int_equal(world.woken_us, 200); /* in the source's time */
  assert_true(clock_advance(&clock, 100));
  assert_int_equal(ring.count, 1);
  clock_clear(&clock);
}

static void it_goes_a_century_ahead_and_no_further(void **state) {
  struct test_world world = {.now_us = 100};
  struct clock clock;
  (void)state;
  clock_init(&clock, &test_source, &world);
  assert_false(clock_advance(&clock, UINT64_MAX));
  assert_false(clock_advance(&clock, (uint64_t)TIMES_MOST_US + 1));
  assert_true(clock_advance(&clock, (uint64_t)TIMES_MOST_US));
  assert_false(clock_advance(&clock, 1));
  assert_true(clock_advance(&clock, 0));
  assert_int_equal(clock.ahead_us, TIMES_MOST_US);
  clock_clear(&clock);
}

static void an_alarm_may_set_itself_again(void **state) {
  struct test_world world = {.now_us = 100};
  struct clock clock;
  (void)state;
  clock_init(&clock, &test_source, &world);
  struct ring ring = {.alarm.run = on_ring, .clock = &clock, .again_us = 10};
  clock_alarm_set(&clock, &ring.alarm, 110);
  world.now_us = 500;
  clock_run(&clock);
  assert_int_equal(ring.count, 1);
  assert_int_equal(world.woken_us, 510);
  clock_alarm_cancel(&clock, &ring.alarm);
  clock_clear(&clock);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(alarms_ring_once_when_they_are_due),
      cmocka_unit_test(the_clock_is_ahead_by_what_it_was_advanced),
      cmocka_unit_test(it_goes_a_century_ahead_and_no_further),
      cmocka_unit_test(an_alarm_may_set_itself_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
