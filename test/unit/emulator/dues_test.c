#include "support.h"

#include "base/alloc.h"
#include "model/dues.h"

#define COUNT 2000
#define QUANTUM_US 16384

static void set_up(struct dues *dues, struct due *all, size_t count) {
  *dues = (struct dues){0};
  pubsub_map_init(&dues->buckets);
  for (size_t i = 0; i < count; i++)
    pubsub_list_init(&all[i].link);
}

static void late_by_a_quantum_at_most_and_never_early(void **state) {
  static struct due all[COUNT];
  struct dues dues;
  size_t seen = 0;
  (void)state;
  set_up(&dues, all, COUNT);
  for (uint64_t i = 0; i < COUNT; i++)
    assert_true(dues_set(&dues, &all[i], i * 7919 % 1000000));
  for (uint64_t now = 0; now < 1100000; now += 1000) {
    struct due *due;
    while ((due = dues_next(&dues, now))) {
      uint64_t wanted = (uint64_t)(due - all) * 7919 % 1000000;
      assert_true(wanted <= now && now <= wanted + QUANTUM_US + 1000);
      dues_remove(due);
      seen++;
    }
  }
  assert_int_equal(seen, COUNT);
  assert_true(dues_first_us(&dues) == UINT64_MAX);
  dues_clear(&dues);
}

static void what_is_moved_or_removed_is_not_due_before(void **state) {
  struct due all[3];
  struct dues dues;
  (void)state;
  set_up(&dues, all, 3);
  for (int i = 0; i < 3; i++)
    assert_true(dues_set(&dues, &all[i], 1000));
  assert_true(dues_set(&dues, &all[1], 500000));
  dues_remove(&all[2]);
  dues_remove(&all[2]);
  assert_ptr_equal(dues_next(&dues, 100000), &all[0]);
  dues_remove(&all[0]);
  assert_null(dues_next(&dues, 100000));
  assert_ptr_equal(dues_next(&dues, 600000), &all[1]);
  dues_remove(&all[1]);
  dues_clear(&dues);
}

static void without_memory_it_is_in_no_bucket(void **state) {
  struct due one;
  struct dues dues;
  (void)state;
  set_up(&dues, &one, 1);
  pubsub_alloc_fail_after(1);
  assert_false(dues_set(&dues, &one, 1000));
  pubsub_alloc_fail_after(0);
  assert_true(pubsub_list_empty(&one.link));
  assert_null(dues_next(&dues, 100000));
  dues_clear(&dues);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(late_by_a_quantum_at_most_and_never_early),
      cmocka_unit_test(what_is_moved_or_removed_is_not_due_before),
      cmocka_unit_test(without_memory_it_is_in_no_bucket),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
