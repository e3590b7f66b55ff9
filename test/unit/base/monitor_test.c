/* Waiting for another thread: what it changed is seen, and time ends a wait. */
#include "support.h"

#include "base/clock.h"
#include "base/monitor.h"
#include <stdbool.h>

struct shared {
  struct pubsub_monitor monitor;
  int turn; /* whose it is */
};

static void *answer(void *arg) {
  struct shared *shared = arg;
  pubsub_monitor_lock(&shared->monitor);
  for (int i = 1; i < 1000; i += 2) {
    while (shared->turn != i)
      pubsub_monitor_wait(&shared->monitor);
    shared->turn++;
    pubsub_monitor_wake(&shared->monitor);
  }
  pubsub_monitor_unlock(&shared->monitor);
  return NULL;
}

static void two_threads_take_turns(void **state) {
  struct shared shared = {.turn = 0};
  pthread_t thread;
  (void)state;
  pubsub_monitor_init(&shared.monitor);
  assert_int_equal(pthread_create(&thread, NULL, answer, &shared), 0);
  pubsub_monitor_lock(&shared.monitor);
  for (int i = 0; i < 1000; i += 2) {
    while (shared.turn != i)
      assert_true(pubsub_monitor_wait_until(&shared.monitor, UINT64_MAX));
    shared.turn++;
    pubsub_monitor_wake(&shared.monitor);
  }
  pubsub_monitor_unlock(&shared.monitor);
  pthread_join(thread, NULL);
  assert_int_equal(shared.turn, 1000);
  pubsub_monitor_clear(&shared.monitor);
}

static void time_ends_a_wait(void **state) {
  struct pubsub_monitor monitor;
  (void)state;
  pubsub_monitor_init(&monitor);
  pubsub_monitor_lock(&monitor);
  assert_false(pubsub_monitor_wait_until(&monitor, 0));
  uint64_t until = pubsub_clock_now_us() + 20000;
  while (pubsub_monitor_wait_until(&monitor, until))
    ;
  assert_true(pubsub_clock_now_us() >= until);
  pubsub_monitor_unlock(&monitor);
  pubsub_monitor_clear(&monitor);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(two_threads_take_turns),
                                     cmocka_unit_test(time_ends_a_wait)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
