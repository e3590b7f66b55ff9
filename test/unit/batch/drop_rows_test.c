#include "rows.h"
#include "support.h"

#include "batch/drop_rows.h"
#include <stdio.h>
#include <stdlib.h>

#define ROWS 300

static bool is_dropped(int i) {
  return i % 4 == 1;
}

/* The chunk and ack ids of rows without some are those of a builder that never saw them, whatever
 * the columns. */
static void dropped_rows_leave_the_others(void **state) {
  struct pubsub_blocks *blocks;
  uint8_t drop[ROWS];
  (void)state;
  assert_int_equal(pubsub_blocks_new(1 << 20, &blocks), PUBSUB_OK);
  for (uint32_t columns = 0; columns <= PUBSUB_COLUMN_ALL; columns++) {
    struct pubsub_builder *builder;
    struct pubsub_chunk *chunks[3]; /* all rows, those that stay, what is left of all */
    struct pubsub_ack_ids ids[3];
    uint8_t *packed[3];
    assert_int_equal(pubsub_builder_new(blocks, columns, &builder), PUBSUB_OK);
    assert_int_equal(rows_append(builder, ROWS), PUBSUB_OK);
    assert_int_equal(pubsub_builder_seal(builder, &chunks[0], &ids[0]), PUBSUB_OK);
    for (int i = 0; i < ROWS; i++) {
      char text[64];
      struct pubsub_attribute attributes[2];
      struct pubsub_received row = row_of(i, text, attributes);
      drop[i] = is_dropped(i);
      if (!drop[i]) assert_int_equal(pubsub_builder_append(builder, &row), PUBSUB_OK);
    }
    assert_int_equal(pubsub_builder_seal(builder, &chunks[1], &ids[1]), PUBSUB_OK);
    assert_int_equal(pubsub_chunk_drop_rows(chunks[0], &ids[0], drop, &chunks[2], &ids[2]),
                     PUBSUB_OK);
    size_t bytes = pubsub_chunk_packed_bytes(chunks[1]);
    assert_int_equal(pubsub_chunk_packed_bytes(chunks[2]), bytes);
    for (int i = 1; i < 3; i++) {
      packed[i] = malloc(bytes);
      pubsub_chunk_pack(chunks[i], packed[i]);
    }
    assert_memory_equal(packed[1], packed[2], bytes);
    assert_int_equal(ids[2].count, ids[1].count);
    for (uint32_t i = 0; i < ids[1].count; i++) {
      struct pubsub_view one = pubsub_ack_ids_at(&ids[1], i), other = pubsub_ack_ids_at(&ids[2], i);
      assert_int_equal(one.len, other.len);
      assert_memory_equal(one.ptr, other.ptr, one.len);
    }
    for (int i = 0; i < 3; i++) {
      pubsub_chunk_unref(chunks[i]);
      pubsub_ack_ids_clear(&ids[i]);
      if (i > 0) free(packed[i]);
    }
    pubsub_builder_destroy(builder);
  }
  pubsub_blocks_unref(blocks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(dropped_rows_leave_the_others, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
