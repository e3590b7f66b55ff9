/* An epoch's ring: chunks are settled in their order, or alone and out of it, each once. */
#include "support.h"

#include "base/rng.h"
#include "batch/builder.h"
#include "sub/epoch.h"

static struct pubsub_blocks *blocks;
static struct pubsub_epoch *epoch;

static int set_up(void **state) {
  (void)state;
  if (pubsub_blocks_new(1u << 20, &blocks) != PUBSUB_OK) return -1;
  epoch = pubsub_epoch_new(1, 7, 0, blocks);
  return epoch ? 0 : -1;
}

static int tear_down(void **state) {
  pubsub_epoch_free(epoch);
  pubsub_blocks_unref(blocks);
  return no_leaks(state);
}

static void add_chunk(void) {
  struct pubsub_received row = {.ack_id = pubsub_view_str("id"), .data = pubsub_view_str("data")};
  struct pubsub_held *held = pubsub_held_new(epoch);
  struct pubsub_builder *builder;
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  assert_int_equal(pubsub_builder_new(blocks, PUBSUB_COLUMN_DATA, &builder), PUBSUB_OK);
  assert_int_equal(pubsub_builder_append(builder, &row), PUBSUB_OK);
  assert_int_equal(pubsub_builder_seal(builder, &chunk, &ids), PUBSUB_OK);
  pubsub_builder_destroy(builder);
  assert_true(pubsub_held_seal(held, chunk, &ids, 1));
  assert_int_equal(pubsub_epoch_reserve(epoch), PUBSUB_OK);
  pubsub_epoch_add(epoch, held);
  pubsub_epoch_publish(epoch, held);
}

static void settle(uint64_t seq) {
  struct pubsub_held *expected = pubsub_epoch_held(epoch, seq);
  assert_ptr_equal(pubsub_epoch_hand_over(epoch), expected);
  pubsub_epoch_settled(epoch, expected);
}

static void one_alone_does_not_wait_for_those_before_it(void **state) {
  (void)state;
  for (int i = 0; i < 4; i++)
    add_chunk();
  pubsub_epoch_ask_settle_alone(epoch, 2, false, 1);
  pubsub_epoch_ask_settle_alone(epoch, 2, true, 1); /* the first outcome counts */
  assert_false(pubsub_epoch_held(epoch, 2)->shared.nack);
  settle(2);
  assert_null(pubsub_epoch_hand_over(epoch));
  assert_int_equal(epoch->shared.first_seq, 0);
  pubsub_epoch_ask_settle(epoch, 4, true, 1);
  settle(0);
  settle(1);
  assert_int_equal(epoch->shared.first_seq, 3);
  settle(3);
  assert_null(pubsub_epoch_hand_over(epoch));
  assert_true(pubsub_epoch_is_empty(epoch));
  assert_int_equal(epoch->shared.backlog_rows, 0);
}

/* All were settled alone: what counts them in their order must not look at what is freed. */
static void the_count_passes_what_was_settled_alone(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++)
    add_chunk();
  for (uint64_t seq = 0; seq < 3; seq++) {
    pubsub_epoch_ask_settle_alone(epoch, seq, false, 1);
    settle(seq);
  }
  pubsub_epoch_ask_settle_alone(epoch, 1, false, 1); /* gone */
  add_chunk();
  pubsub_epoch_ask_settle(epoch, 4, false, 1);
  settle(3);
  assert_int_equal(epoch->shared.first_seq, 4);
}

static void what_is_taken_is_what_can_be_read(void **state) {
  uint64_t seq;
  (void)state;
  assert_null(pubsub_epoch_untaken(epoch, &seq));
  for (int i = 0; i < 3; i++)
    add_chunk();
  pubsub_epoch_ask_settle_alone(epoch, 0, false, 1);
  assert_non_null(pubsub_epoch_untaken(epoch, &seq));
  assert_int_equal(seq, 1);
  epoch->shared.next++;
  assert_non_null(pubsub_epoch_untaken(epoch, &seq));
  assert_int_equal(seq, 2);
  pubsub_epoch_ask_settle(epoch, 3, false, 1);
  assert_null(pubsub_epoch_untaken(epoch, &seq));
}

/* Any mixture: each chunk is handed over once, and all of them at the end. */
static void random_orders(void **state) {
  enum { CHUNKS = 300 };
  struct pubsub_rng rng;
  uint64_t settled = 0;
  (void)state;
  pubsub_rng_seed(&rng, 4);
  while (settled < CHUNKS) {
    if (epoch->shared.sealed < CHUNKS && pubsub_rng_below(&rng, 2)) add_chunk();
    uint64_t any = pubsub_rng_below(&rng, epoch->shared.sealed + 1);
    if (pubsub_rng_below(&rng, 3))
      pubsub_epoch_ask_settle_alone(epoch, any, false, 1);
    else if (any + 20 < epoch->shared.sealed || epoch->shared.sealed == CHUNKS)
      pubsub_epoch_ask_settle(epoch, any, false, 1);
    if (epoch->shared.sealed == CHUNKS && pubsub_rng_below(&rng, 50) == 0)
      pubsub_epoch_ask_settle(epoch, CHUNKS, false, 1);
    struct pubsub_held *held;
    while (pubsub_rng_below(&rng, 3) && (held = pubsub_epoch_hand_over(epoch))) {
      pubsub_epoch_settled(epoch, held);
      settled++;
    }
  }
  assert_true(pubsub_epoch_is_empty(epoch));
  assert_null(pubsub_epoch_hand_over(epoch));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(one_alone_does_not_wait_for_those_before_it),
                                     TEST(the_count_passes_what_was_settled_alone),
                                     TEST(what_is_taken_is_what_can_be_read), TEST(random_orders)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
