#include "support.h"

#include "store/holdings.h"

static void fill(struct holdings *holdings, uint64_t from, uint64_t to) {
  for (uint64_t id = from; id < to; id++)
    assert_int_equal(holdings_add(holdings, (struct holding){.id = id, .state = HOLDING_HELD}),
                     PUBSUB_OK);
}

static size_t count(const struct holdings *holdings, enum holding_state state) {
  size_t found = 0;
  for (size_t i = 0; i < holdings->count; i++)
    found += holdings->all[i].state == state;
  return found;
}

static void each_is_found_in_any_order(void **state) {
  struct holdings holdings = {0};
  (void)state;
  fill(&holdings, 1000, 2000);
  for (uint64_t i = 0; i < 1000; i++) {
    holdings_settle(&holdings, 1000 + i * 7 % 1000, HOLDING_GONE);
    assert_int_equal(count(&holdings, HOLDING_GONE), i + 1);
  }
  holdings_clear(&holdings);
}

static void ids_that_are_not_there(void **state) {
  struct holdings holdings = {0};
  (void)state;
  holdings_settle(&holdings, 5, HOLDING_GONE);
  fill(&holdings, 10, 12);
  fill(&holdings, 20, 22);
  const uint64_t ids[] = {0, 9, 12, 15, 19, 22, UINT64_MAX};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
    holdings_settle(&holdings, ids[i], HOLDING_GONE);
  assert_int_equal(count(&holdings, HOLDING_HELD), 4);
  holdings_clear(&holdings);
}

static void what_is_gone_does_not_come_back(void **state) {
  struct holdings holdings = {0};
  (void)state;
  fill(&holdings, 1, 3);
  holdings_settle(&holdings, 1, HOLDING_GONE);
  holdings_settle(&holdings, 1, HOLDING_RETAINED);
  holdings_settle(&holdings, 2, HOLDING_RETAINED);
  holdings_lent(&holdings, 2, 7);
  assert_int_equal(holdings.all[0].state, HOLDING_GONE);
  assert_int_equal(holdings.all[1].state, HOLDING_RETAINED);
  assert_int_equal(holdings.all[1].attempts, 7);
  holdings_clear(&holdings);
}

static void order_is_restored(void **state) {
  struct holdings holdings = {0};
  (void)state;
  fill(&holdings, 50, 60);
  fill(&holdings, 10, 20);
  holdings_settle(&holdings, 15, HOLDING_GONE);
  assert_int_equal(holdings.all[0].id, 10);
  assert_int_equal(holdings.all[5].state, HOLDING_GONE);
  holdings_drop_below(&holdings, 55);
  assert_int_equal(count(&holdings, HOLDING_HELD), 5);
  holdings_clear(&holdings);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(each_is_found_in_any_order, no_leaks),
      cmocka_unit_test_teardown(ids_that_are_not_there, no_leaks),
      cmocka_unit_test_teardown(what_is_gone_does_not_come_back, no_leaks),
      cmocka_unit_test_teardown(order_is_restored, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
