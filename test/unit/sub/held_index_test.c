/* The histogram of holding times, outcomes of single ids, and the index of held messages. */
#include "support.h"

#include "sub/held_index.h"

static void held_messages_are_found_until_removed(void **state) {
  struct pubsub_blocks *blocks;
  int owners[2];
  struct pubsub_held *a = (struct pubsub_held *)(void *)&owners[0];
  struct pubsub_held *b = (struct pubsub_held *)(void *)&owners[1];
  (void)state;
  assert_int_equal(pubsub_message_number(pubsub_view_str("1234567890123456789")),
                   UINT64_C(1234567890123456789));
  assert_int_equal(pubsub_message_number(pubsub_view_str("012")), 0);
  assert_int_equal(pubsub_message_number(pubsub_view_str("12a")), 0);
  assert_int_equal(pubsub_blocks_new(1 << 24, &blocks), PUBSUB_OK);
  struct pubsub_held_index index = {.blocks = blocks};
  for (uint32_t i = 1; i <= 20000; i++)
    assert_int_equal(pubsub_held_index_set(&index, i, a, i), PUBSUB_OK);
  for (uint32_t i = 3; i <= 20000; i += 3)
    pubsub_held_index_remove(&index, i, i % 2 ? a : b); /* b has none: stays */
  for (uint32_t i = 1; i <= 20000; i++) {
    const struct pubsub_held_place *place = pubsub_held_index_find(&index, i);
    assert_true((place != NULL) == !(i % 3 == 0 && i % 2));
    assert_true(!place || (place->held == a && place->row == i));
  }
  pubsub_held_index_clear(&index);
  assert_int_equal(pubsub_blocks_used_bytes(blocks), 0);
  pubsub_blocks_unref(blocks);
}

/* Ids that share a place under one seed do not under another. */
static void ids_chosen_to_collide_are_spread(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_held *held = (struct pubsub_held *)(void *)&blocks;
  (void)state;
  assert_int_equal(pubsub_blocks_new(1 << 24, &blocks), PUBSUB_OK);
  struct pubsub_held_index a = {.blocks = blocks}, b = {.blocks = blocks};
  size_t same = 0;
  for (uint32_t i = 1; i <= 700; i++) {
    assert_int_equal(pubsub_held_index_set(&a, i * UINT64_C(1048576), held, i), PUBSUB_OK);
    assert_int_equal(pubsub_held_index_set(&b, i * UINT64_C(1048576), held, i), PUBSUB_OK);
  }
  for (uint32_t i = 1; i <= 700; i++) {
    same += pubsub_held_index_find(&a, i * UINT64_C(1048576)) - a.places ==
            pubsub_held_index_find(&b, i * UINT64_C(1048576)) - b.places;
  }
  assert_true(same < 100);
  pubsub_held_index_clear(&a);
  pubsub_held_index_clear(&b);
  pubsub_blocks_unref(blocks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(ids_chosen_to_collide_are_spread, no_leaks),
      cmocka_unit_test_teardown(held_messages_are_found_until_removed, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
