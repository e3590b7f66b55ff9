/* Passes over ack ids: turns, and parts of a request that failed for one id in it. */
#include "support.h"

#include "sub/pass.h"

static void rows_that_failed_make_the_next_turn(void **state) {
  struct pubsub_pass pass;
  (void)state;
  pubsub_pass_init(&pass);
  pubsub_pass_begin(&pass, 10, 5);
  pass.next = 10;
  pass.unconfirmed = 10;
  assert_false(pubsub_pass_turn_over(&pass));
  pubsub_pass_again(&pass, 3);
  pubsub_pass_again(&pass, 7);
  pass.unconfirmed = 0;
  assert_true(pubsub_pass_turn_over(&pass));
  pubsub_pass_next_turn(&pass);
  assert_true(pass.count == 2 && pass.turns == 1 && pubsub_pass_row(&pass, 1) == 7);
  pubsub_pass_again(&pass, 7);
  pubsub_pass_cut(&pass);
  assert_true(pubsub_pass_turn_over(&pass) && pass.again_count == 0);
  pubsub_pass_end(&pass);
  assert_false(pass.active);
}

/* Of 1,000 ids one is bad: halves find it in few requests, whichever it is. */
static void one_bad_id_is_found_by_halves(void **state) {
  (void)state;
  for (uint32_t bad = 0; bad < 1000; bad += 37) {
    struct pubsub_pass pass;
    uint32_t requests = 0, good = 0, failed = 1000;
    pubsub_pass_init(&pass);
    pubsub_pass_begin(&pass, 1000, 0);
    for (bool over = false; !over; requests++) {
      uint32_t first = pass.next, end = pubsub_pass_end_of_part(&pass), ids = end - first;
      bool has_bad = false;
      for (uint32_t i = first; i < end; i++)
        has_bad = has_bad || pubsub_pass_row(&pass, i) == bad;
      pass.next = end;
      if (has_bad && ids == 1) failed = pubsub_pass_row(&pass, first);
      if (!has_bad) good += ids;
      for (uint32_t i = first; has_bad && ids > 1 && i < end; i++)
        assert_int_equal(pubsub_pass_split(&pass, pubsub_pass_row(&pass, i), ids), PUBSUB_OK);
      if (!pubsub_pass_turn_over(&pass)) continue;
      over = pass.again_count == 0;
      if (!over) assert_true(pass.split);
      if (!over) pubsub_pass_next_turn(&pass);
    }
    assert_int_equal(good, 999);
    assert_int_equal(failed, bad);
    assert_true(requests <= 45);
    assert_int_equal(pass.turns, 0); /* no wait between them */
    pubsub_pass_end(&pass);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(rows_that_failed_make_the_next_turn, no_leaks),
      cmocka_unit_test_teardown(one_bad_id_is_found_by_halves, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
