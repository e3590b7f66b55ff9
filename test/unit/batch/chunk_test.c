#include "rows.h"
#include "support.h"

#include "batch/chunk.h"

/* Every buffer of a column that was asked for is there, with the length that its rows need; the
 * others are {0, 0}. */
static void a_view_has_the_buffers_of_its_columns(void **state) {
  struct pubsub_blocks *blocks;
  (void)state;
  assert_int_equal(pubsub_blocks_new(0, &blocks), PUBSUB_OK);
  for (uint32_t columns = 0; columns <= PUBSUB_COLUMN_ALL; columns++) {
    struct pubsub_ack_ids ids;
    struct pubsub_chunk_view view;
    struct pubsub_chunk *chunk = rows_chunk(blocks, columns, 30, &ids);
    uint64_t bytes = 0;
    pubsub_chunk_view(chunk, &view);
    assert_int_equal(view.columns, columns);
    assert_int_equal(view.rows, 30);
    for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++) {
      bool wanted = (pubsub_buffer_column(i) & columns) != 0;
      assert_int_equal(view.buffers[i].address != 0, wanted);
      if (!wanted) assert_int_equal(view.buffers[i].bytes, 0);
      bytes += view.buffers[i].bytes;
    }
    assert_int_equal(view.bytes, bytes);
    assert_int_equal(view.attribute_entries, columns & PUBSUB_COLUMN_ATTRIBUTES ? 30 : 0);
    if (columns & PUBSUB_COLUMN_DATA) {
      assert_int_equal(view.buffers[PUBSUB_BUFFER_DATA_OFFSETS].bytes, 31 * 4);
    }
    pubsub_ack_ids_clear(&ids);
    pubsub_chunk_unref(chunk);
  }
  pubsub_blocks_unref(blocks);
}

static void a_chunk_lives_as_long_as_somebody_holds_it(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_ack_ids ids;
  struct pubsub_chunk_view view;
  (void)state;
  assert_int_equal(pubsub_blocks_new(0, &blocks), PUBSUB_OK);
  struct pubsub_chunk *chunk = rows_chunk(blocks, PUBSUB_COLUMN_ALL, 5, &ids);
  pubsub_ack_ids_clear(&ids);
  pubsub_blocks_unref(blocks); /* the chunk has its own hold */
  assert_ptr_equal(pubsub_chunk_ref(chunk), chunk);
  pubsub_chunk_unref(chunk);
  pubsub_chunk_view(chunk, &view);
  const char *data = (const char *)(uintptr_t)view.buffers[PUBSUB_BUFFER_DATA_BYTES].address;
  assert_memory_equal(data, "1234", 4); /* row 0 has none */
  pubsub_chunk_unref(chunk);
  pubsub_chunk_unref(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_view_has_the_buffers_of_its_columns, no_leaks),
      cmocka_unit_test_teardown(a_chunk_lives_as_long_as_somebody_holds_it, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
