#include "rows.h"
#include "support.h"

#include "base/alloc.h"
#include "base/rng.h"
#include <stdio.h>

#define ROWS 40

/* What row i's id is after its n-th replacement: lengths differ, one is empty. */
static struct pubsub_view newer(uint32_t i, int n, char text[64]) {
  int len =
      snprintf(text, 64, "%.*s%u-%d", n % 7 * 5, "longer and longer and longer and longer", i, n);
  return pubsub_view_of(text, n % 11 == 10 ? 0 : (size_t)len);
}

static void replaced_ids_are_the_newest(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_ack_ids ids;
  struct pubsub_rng rng;
  int replaced[ROWS] = {0};
  char text[64];
  (void)state;
  pubsub_rng_seed(&rng, 3);
  assert_int_equal(pubsub_blocks_new(0, &blocks), PUBSUB_OK);
  pubsub_chunk_unref(rows_chunk(blocks, 0, ROWS, &ids));
  assert_int_equal(ids.count, ROWS);
  for (int turn = 1; turn < 5000; turn++) {
    uint32_t i = (uint32_t)pubsub_rng_below(&rng, ROWS);
    replaced[i] = turn;
    assert_int_equal(pubsub_ack_ids_replace(&ids, i, newer(i, turn, text)), PUBSUB_OK);
    for (uint32_t row = 0; row < ROWS; row++) {
      struct pubsub_view expected = newer(row, replaced[row], text);
      if (replaced[row] == 0) {
        snprintf(text, sizeof text, "%u", row);
        expected = pubsub_view_str(text);
      }
      assert_true(pubsub_view_equal(pubsub_ack_ids_at(&ids, row), expected));
    }
  }
  assert_true(pubsub_blocks_used_bytes(blocks) < 32768); /* the arena is written anew, not grown */
  pubsub_ack_ids_clear(&ids);
  assert_int_equal(pubsub_blocks_used_bytes(blocks), 0);
  pubsub_blocks_unref(blocks);
}

/* Whichever allocation fails: the ids are what they were, and the next attempt succeeds. */
static void without_memory_the_ids_stay(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_ack_ids ids;
  char longer[4096];
  int failed = 0;
  (void)state;
  memset(longer, 'x', sizeof longer);
  assert_int_equal(pubsub_blocks_new(0, &blocks), PUBSUB_OK);
  pubsub_chunk_unref(rows_chunk(blocks, 0, ROWS, &ids));
  for (uint32_t i = 0; i < ROWS; i++) {
    pubsub_alloc_fail_after(1);
    if (pubsub_ack_ids_replace(&ids, i, pubsub_view_of(longer, sizeof longer)) != PUBSUB_OK) {
      struct pubsub_view id = pubsub_ack_ids_at(&ids, i);
      char text[16];
      snprintf(text, sizeof text, "%u", i);
      assert_true(pubsub_view_equal(id, pubsub_view_str(text)));
      failed++;
    }
    pubsub_alloc_fail_after(0);
    assert_int_equal(pubsub_ack_ids_replace(&ids, i, pubsub_view_of(longer, sizeof longer)),
                     PUBSUB_OK);
    assert_int_equal(pubsub_ack_ids_at(&ids, i).len, sizeof longer);
  }
  assert_true(failed > 0);
  pubsub_ack_ids_clear(&ids);
  pubsub_blocks_unref(blocks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(replaced_ids_are_the_newest, no_leaks),
      cmocka_unit_test_teardown(without_memory_the_ids_stay, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
