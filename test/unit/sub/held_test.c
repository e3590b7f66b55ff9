/* The life of a held chunk: every step from every stage either leads where the table says or
 * changes nothing. */
#include "support.h"

#include "batch/builder.h"
#include "sub/held.h"

enum step { SEAL, AWAIT_RECEIPT, RECEIPT_OVER, PUBLISH, ASK, BEGIN, FINISH, STEP_COUNT };
#define NO (-1)

static const int table[PUBSUB_HELD_STAGE_COUNT][STEP_COUNT] = {
    [PUBSUB_HELD_BUILDING] = {PUBSUB_HELD_PENDING, NO, NO, NO, NO, NO, NO},
    [PUBSUB_HELD_PENDING] = {NO, PUBSUB_HELD_AWAITS_RECEIPT, NO, PUBSUB_HELD_READABLE, NO, NO, NO},
    [PUBSUB_HELD_AWAITS_RECEIPT] = {NO, NO, PUBSUB_HELD_PENDING, PUBSUB_HELD_READABLE, NO, NO, NO},
    [PUBSUB_HELD_READABLE] = {NO, NO, NO, NO, PUBSUB_HELD_ASKED, NO, NO},
    [PUBSUB_HELD_ASKED] = {NO, NO, NO, NO, NO, PUBSUB_HELD_SETTLING, NO},
    [PUBSUB_HELD_SETTLING] = {NO, NO, NO, NO, NO, NO, PUBSUB_HELD_DONE},
    [PUBSUB_HELD_DONE] = {NO, NO, NO, NO, NO, NO, NO},
};

static struct pubsub_blocks *blocks;

static void make_chunk(struct pubsub_chunk **chunk, struct pubsub_ack_ids *ids) {
  struct pubsub_received row = {.ack_id = pubsub_view_str("id"), .data = pubsub_view_str("data")};
  struct pubsub_builder *builder;
  assert_int_equal(pubsub_builder_new(blocks, PUBSUB_COLUMN_DATA, &builder), PUBSUB_OK);
  assert_int_equal(pubsub_builder_append(builder, &row), PUBSUB_OK);
  assert_int_equal(pubsub_builder_seal(builder, chunk, ids), PUBSUB_OK);
  pubsub_builder_destroy(builder);
}

static bool seal(struct pubsub_held *held) {
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  make_chunk(&chunk, &ids);
  if (pubsub_held_seal(held, chunk, &ids, 7)) return true;
  pubsub_chunk_unref(chunk); /* refused: still ours */
  pubsub_ack_ids_clear(&ids);
  return false;
}

static bool take(struct pubsub_held *held, enum step step) {
  switch (step) {
  case SEAL:
    return seal(held);
  case AWAIT_RECEIPT:
    return pubsub_held_await_receipt(held);
  case RECEIPT_OVER:
    return pubsub_held_receipt_over(held);
  case PUBLISH:
    return pubsub_held_publish(held);
  case ASK:
    return pubsub_held_ask(held, true, 9);
  case BEGIN:
    return pubsub_held_begin(held);
  default:
    return pubsub_held_finish(held);
  }
}

static struct pubsub_held *held_at(enum pubsub_held_stage stage) {
  static const enum step way[] = {SEAL, PUBLISH, ASK, BEGIN, FINISH};
  struct pubsub_held *held = pubsub_held_new(NULL);
  assert_non_null(held);
  for (size_t i = 0; pubsub_held_stage(held) < stage; i++) {
    if (i == 1 && stage == PUBSUB_HELD_AWAITS_RECEIPT) {
      assert_true(take(held, AWAIT_RECEIPT));
      break;
    }
    assert_true(take(held, way[i]));
  }
  assert_int_equal(pubsub_held_stage(held), stage);
  return held;
}

static void every_step_from_every_stage(void **state) {
  (void)state;
  assert_int_equal(pubsub_blocks_new(1 << 20, &blocks), PUBSUB_OK);
  for (int stage = 0; stage < PUBSUB_HELD_STAGE_COUNT; stage++) {
    for (int step = 0; step < STEP_COUNT; step++) {
      struct pubsub_held *held = held_at((enum pubsub_held_stage)stage);
      int wanted = table[stage][step];
      assert_int_equal(take(held, (enum step)step), wanted != NO);
      assert_int_equal(pubsub_held_stage(held), wanted == NO ? stage : wanted);
      pubsub_held_free(held, blocks);
      assert_int_equal(pubsub_blocks_used_bytes(blocks), 0);
    }
  }
  pubsub_blocks_unref(blocks);
}

static void columns_are_there_until_settling_is_asked(void **state) {
  (void)state;
  assert_int_equal(pubsub_blocks_new(1 << 20, &blocks), PUBSUB_OK);
  struct pubsub_held *held = held_at(PUBSUB_HELD_READABLE);
  assert_int_equal(held->rows, 1);
  assert_int_equal(held->receive_wall_us, 7);
  assert_non_null(held->shared.chunk);
  assert_true(pubsub_held_ask(held, true, 9));
  assert_null(held->shared.chunk);
  assert_true(held->shared.nack && held->shared.asked_us == 9);
  assert_int_equal(held->loop.ack_ids.count, 1); /* they are still to be sent */
  assert_false(pubsub_held_is_settling(held));
  assert_true(pubsub_held_begin(held) && pubsub_held_is_settling(held));
  pubsub_held_free(held, blocks);
  pubsub_blocks_unref(blocks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(every_step_from_every_stage, no_leaks),
      cmocka_unit_test_teardown(columns_are_there_until_settling_is_asked, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
