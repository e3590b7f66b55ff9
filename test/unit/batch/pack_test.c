#include "rows.h"
#include "support.h"

#include "base/rng.h"
#include "batch/drop_rows.h"
#include <stdio.h>
#include <stdlib.h>

static void hostile_packed_chunks(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_builder *builder;
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 9);
  assert_int_equal(pubsub_blocks_new(0, &blocks), PUBSUB_OK);
  assert_int_equal(pubsub_builder_new(blocks, PUBSUB_COLUMN_ALL, &builder), PUBSUB_OK);
  assert_int_equal(rows_append(builder, 20), PUBSUB_OK);
  assert_int_equal(pubsub_builder_seal(builder, &chunk, &ids), PUBSUB_OK);
  size_t bytes = pubsub_chunk_packed_bytes(chunk);
  uint8_t *packed = malloc(bytes);
  for (int turn = 0; turn < 20000; turn++) {
    struct pubsub_chunk *out = NULL;
    size_t len = turn % 2 ? bytes : pubsub_rng_below(&rng, bytes);
    pubsub_chunk_pack(chunk, packed);
    packed[pubsub_rng_below(&rng, turn % 3 ? bytes : 144)] ^=
        (uint8_t)(1 << pubsub_rng_below(&rng, 8));
    uint8_t *exact = malloc(len + 1);
    memcpy(exact, packed, len);
    if (pubsub_chunk_unpack(exact, len, &out, NULL) == PUBSUB_OK) {
      size_t again = pubsub_chunk_packed_bytes(out); /* every byte it claims is there */
      uint8_t *copy = malloc(again);
      pubsub_chunk_pack(out, copy);
      free(copy);
    }
    pubsub_chunk_unref(out);
    free(exact);
  }
  free(packed);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  pubsub_builder_destroy(builder);
  pubsub_blocks_unref(blocks);
}

/* Readers take the counts of nulls for what the bitmaps say. */
static void counts_of_nulls(void **state) {
  enum { ORDERING_KEY_NULLS = 16, DELIVERY_ATTEMPT_NULLS = 20 }; /* offsets of the head */
  struct pubsub_blocks *blocks;
  struct pubsub_builder *builder;
  struct pubsub_chunk *chunk, *out;
  struct pubsub_ack_ids ids;
  (void)state;
  assert_int_equal(pubsub_blocks_new(0, &blocks), PUBSUB_OK);
  assert_int_equal(pubsub_builder_new(blocks, PUBSUB_COLUMN_ALL, &builder), PUBSUB_OK);
  assert_int_equal(rows_append(builder, 20), PUBSUB_OK);
  assert_int_equal(pubsub_builder_seal(builder, &chunk, &ids), PUBSUB_OK);
  size_t bytes = pubsub_chunk_packed_bytes(chunk);
  uint8_t *packed = malloc(bytes);
  for (int at = ORDERING_KEY_NULLS; at <= DELIVERY_ATTEMPT_NULLS; at += 4) {
    pubsub_chunk_pack(chunk, packed);
    assert_true(packed[at] > 1);
    packed[at]--;
    assert_int_equal(pubsub_chunk_unpack(packed, bytes, &out, NULL), PUBSUB_E_PROTOCOL);
  }
  free(packed);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  pubsub_builder_destroy(builder);
  pubsub_blocks_unref(blocks);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(hostile_packed_chunks, no_leaks),
                                     cmocka_unit_test_teardown(counts_of_nulls, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
