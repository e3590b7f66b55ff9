/* How much is asked for: it fits into memory whatever the messages are, and is settled before its
 * leases end. */
#include "support.h"

#include "base/rng.h"
#include "sub/demand.h"

#define SECOND UINT64_C(1000000)
#define MIB ((uint64_t)1 << 20)
#define FIXED_ROOM 300 /* what a row takes beside its bytes, in these tests */

static uint64_t room_of(uint64_t wire_bytes) {
  return FIXED_ROOM + wire_bytes + wire_bytes / 16;
}

static struct pubsub_demand_sizes sizes_of(uint64_t wire_bytes, uint32_t rows) {
  struct pubsub_demand_sizes sizes = {0};
  pubsub_demand_message(&sizes, wire_bytes, rows, 1);
  pubsub_demand_chunk(&sizes, rows, wire_bytes * rows, room_of(wire_bytes) * rows);
  return sizes;
}

static struct pubsub_demand plan_of(struct pubsub_demand_input in) {
  static const struct pubsub_demand_sizes no_sizes;
  static const struct pubsub_demand_pace no_pace;
  if (!in.sizes) in.sizes = &no_sizes;
  if (!in.pace) in.pace = &no_pace;
  if (!in.max_extension_us) in.max_extension_us = 3600 * SECOND;
  if (!in.max_rows) in.max_rows = INT64_MAX;
  if (!in.max_bytes) in.max_bytes = INT64_MAX;
  return pubsub_demand_plan(&in, 2 * SECOND);
}

/* The most that slots of this plan hold of messages of one size: each stops at a limit, and has one
 * message beyond it. */
static uint64_t most_room(const struct pubsub_demand *plan, uint64_t wire_bytes) {
  uint64_t by_bytes = wire_bytes ? (plan->bytes - 1) / wire_bytes + 1 : UINT64_MAX;
  uint64_t rows = plan->rows < by_bytes ? plan->rows : by_bytes;
  return plan->active * rows * room_of(wire_bytes);
}

static void memory_is_enough_at_every_size(void **state) {
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 7);
  for (int turn = 0; turn < 20000; turn++) {
    uint64_t budget = MIB << pubsub_rng_below(&rng, 10);
    uint64_t mean = pubsub_rng_below(&rng, UINT64_C(1) << (1 + pubsub_rng_below(&rng, 23)));
    struct pubsub_demand_sizes sizes = sizes_of(mean, (uint32_t)pubsub_rng_below(&rng, 3000));
    struct pubsub_demand plan =
        plan_of((struct pubsub_demand_input){.budget_bytes = budget,
                                             .slots = 1 + (uint32_t)pubsub_rng_below(&rng, 100),
                                             .sizes = &sizes});
    uint64_t largest = pubsub_demand_largest(&sizes, 2 * SECOND);
    for (uint64_t size = 0; size <= largest; size = size * 2 + 10) {
      uint64_t room = most_room(&plan, size);
      bool one = plan.active == 1 && plan.rows >= 1 && room <= room_of(size);
      if (room > budget && !one) fail_msg("turn %d: %lu of %lu", turn, room, budget);
    }
  }
}

static void half_of_memory_is_used_at_usual_sizes(void **state) {
  (void)state;
  for (uint64_t size = 100; size < 100000; size *= 10) {
    struct pubsub_demand_sizes sizes = sizes_of(size, 1000);
    struct pubsub_demand plan = plan_of(
        (struct pubsub_demand_input){.budget_bytes = 256 * MIB, .slots = 8, .sizes = &sizes});
    assert_int_equal(plan.active, 8);
    assert_true(most_room(&plan, size) >= 128 * MIB);
  }
}

static void slots_rest_where_a_message_each_would_be_too_much(void **state) {
  (void)state;
  struct pubsub_demand_sizes large = sizes_of(9900000, 300), small = sizes_of(1000, 300);
  struct pubsub_demand_input in = {.budget_bytes = 64 * MIB, .slots = 50, .sizes = &large};
  struct pubsub_demand plan = plan_of(in);
  assert_true(plan.active >= 4 && plan.active * room_of(9900000) <= 64 * MIB);
  in.sizes = &small;
  assert_int_equal(plan_of(in).active, 50);
  in.sizes = NULL; /* nobody knows: as if they were large */
  assert_int_equal(plan_of(in).active, 5);
  in.budget_bytes = MIB;
  in.sizes = &large; /* a message larger than the budget: alone */
  plan = plan_of(in);
  assert_true(plan.active == 1 && plan.rows >= 1 && plan.bytes == 1);
}

static void limits_of_a_trigger_are_a_few_batches(void **state) {
  static const struct {
    uint64_t batch_s, extension_s, batches;
  } cases[] = {{0, 3600, 2}, {1, 3600, 3}, {1, 10, 3}, {2, 10, 2}, {4, 10, 1}, {60, 10, 1}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct pubsub_demand_pace pace = {.batch_us = cases[i].batch_s * SECOND};
    struct pubsub_demand plan =
        plan_of((struct pubsub_demand_input){.budget_bytes = 256 * MIB,
                                             .slots = 4,
                                             .trigger_rows = 100,
                                             .max_extension_us = cases[i].extension_s * SECOND,
                                             .pace = &pace});
    assert_int_equal(plan.active * plan.rows, 100 * cases[i].batches);
  }
  /* Fewer rows than slots: some rest. */
  struct pubsub_demand plan = plan_of(
      (struct pubsub_demand_input){.budget_bytes = 256 * MIB, .slots = 8, .trigger_rows = 1});
  assert_true(plan.active == 2 && plan.rows == 1);
}

/* A sink that takes 1,000 rows in 8 s, leases of 10 s at most: what is held goes down until it is
 * settled within half of that. */
static void what_is_held_follows_what_is_settled_in_time(void **state) {
  struct pubsub_demand_pace pace = {0};
  uint64_t now = SECOND, held = 10000;
  (void)state;
  for (int batch = 0; batch < 20; batch++) {
    uint64_t oldest_us = held * 8000; /* Little's law: rows held, at 125 rows a second */
    now += 8 * SECOND;
    pubsub_demand_eaten(&pace, oldest_us, held, 10 * SECOND, now);
    if (pace.reach_rows > 0 && pace.reach_rows < held) held = pace.reach_rows;
  }
  assert_true(held <= 700 && held >= 300);
  assert_int_equal(pace.batch_us, 8 * SECOND);
  pubsub_demand_eaten(&pace, SECOND, held, 10 * SECOND,
                      now + 1000); /* the same batch: no new word */
  assert_int_equal(pace.last_us, now);
  uint64_t before = pace.reach_rows;
  pubsub_demand_eaten(&pace, SECOND, held, 10 * SECOND, now + SECOND);
  assert_true(pace.reach_rows > before);
}

static void a_stream_is_opened_again_where_that_is_worth_it(void **state) {
  const struct pubsub_demand plan = {.active = 4, .rows = 1000, .bytes = 100000};
  const uint64_t now = 10 * SECOND;
  static const struct {
    struct pubsub_demand_stream stream;
    enum pubsub_demand_action action;
  } cases[] = {{{true, true, true, 1000, 100000, 0}, PUBSUB_DEMAND_KEEP},
               {{true, true, true, 600, 60000, 0}, PUBSUB_DEMAND_KEEP},
               {{true, true, false, 400, 100000, 0}, PUBSUB_DEMAND_REOPEN},
               {{true, false, true, 400, 100000, 0}, PUBSUB_DEMAND_KEEP},
               {{true, true, false, 1000, 10000, 0}, PUBSUB_DEMAND_KEEP},
               {{true, false, true, 1000, 10000, 0}, PUBSUB_DEMAND_REOPEN},
               {{true, false, false, 2000, 100000, 0}, PUBSUB_DEMAND_REOPEN},
               {{true, false, false, 2000, 100000, 9 * SECOND}, PUBSUB_DEMAND_KEEP},
               {{false, false, false, 1000, 100000, 9 * SECOND}, PUBSUB_DEMAND_REST}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_int_equal(pubsub_demand_review(&cases[i].stream, &plan, now), cases[i].action);
  uint64_t rows, bytes;
  assert_true(pubsub_demand_open(&plan, 0, 0, &rows, &bytes));
  assert_true(rows == 1000 && bytes == 100000);
  assert_true(pubsub_demand_open(&plan, 300, 0, &rows, &bytes) && rows == 700);
  assert_false(pubsub_demand_open(&plan, 600, 0, &rows, &bytes));
  assert_false(pubsub_demand_open(&plan, 0, 60000, &rows, &bytes));
}

static void a_large_message_is_remembered_for_a_while(void **state) {
  struct pubsub_demand_sizes sizes = sizes_of(1000, 5);
  (void)state;
  assert_int_equal(pubsub_demand_largest(&sizes, 2), PUBSUB_DEMAND_LARGEST_MESSAGE); /* too few */
  pubsub_demand_message(&sizes, 1000, 300, 2);
  assert_true(pubsub_demand_largest(&sizes, 2) <= 100000);
  pubsub_demand_message(&sizes, 5000000, 0, 3); /* its head alone has come */
  assert_int_equal(pubsub_demand_largest(&sizes, 3), PUBSUB_DEMAND_LARGEST_MESSAGE);
  pubsub_demand_message(&sizes, 1000, 1, 400 * SECOND);
  assert_int_equal(pubsub_demand_largest(&sizes, 400 * SECOND), PUBSUB_DEMAND_LARGEST_MESSAGE);
  pubsub_demand_message(&sizes, 1000, 1, 800 * SECOND);
  assert_true(pubsub_demand_largest(&sizes, 800 * SECOND) <= 100000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(memory_is_enough_at_every_size, no_leaks),
      cmocka_unit_test_teardown(half_of_memory_is_used_at_usual_sizes, no_leaks),
      cmocka_unit_test_teardown(slots_rest_where_a_message_each_would_be_too_much, no_leaks),
      cmocka_unit_test_teardown(limits_of_a_trigger_are_a_few_batches, no_leaks),
      cmocka_unit_test_teardown(what_is_held_follows_what_is_settled_in_time, no_leaks),
      cmocka_unit_test_teardown(a_stream_is_opened_again_where_that_is_worth_it, no_leaks),
      cmocka_unit_test_teardown(a_large_message_is_remembered_for_a_while, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
