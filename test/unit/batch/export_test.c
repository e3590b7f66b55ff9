#include "rows.h"
#include "support.h"

#include "base/alloc.h"

/* What the specification says of names, formats and flags. */
static void the_schema_is_arrows(void **state) {
  static const struct {
    const char *name, *format;
    int64_t flags;
  } columns[] = {{"message_id", "u", 0},
                 {"data", "z", 0},
                 {"attributes", "+m", 0},
                 {"publish_time", "tsu:UTC", 0},
                 {"ordering_key", "u", ARROW_FLAG_NULLABLE},
                 {"delivery_attempt", "i", ARROW_FLAG_NULLABLE}};
  struct pubsub_blocks *blocks;
  struct pubsub_ack_ids ids;
  struct ArrowSchema schema;
  struct ArrowArray batch;
  (void)state;
  assert_int_equal(pubsub_blocks_new(0, &blocks), PUBSUB_OK);
  struct pubsub_chunk *chunk = rows_chunk(blocks, PUBSUB_COLUMN_ALL, 3, &ids);
  assert_int_equal(pubsub_chunk_export(chunk, &schema, &batch, NULL), PUBSUB_OK);
  assert_string_equal(schema.format, "+s");
  assert_int_equal(schema.n_children, 6);
  assert_int_equal(batch.n_children, 6);
  for (int i = 0; i < 6; i++) {
    assert_string_equal(schema.children[i]->name, columns[i].name);
    assert_string_equal(schema.children[i]->format, columns[i].format);
    assert_int_equal(schema.children[i]->flags, columns[i].flags);
    assert_int_equal(batch.children[i]->length, 3);
    assert_int_equal(batch.children[i]->offset, 0);
  }
  const struct ArrowSchema *entries = schema.children[2]->children[0];
  assert_string_equal(entries->name, "entries");
  assert_string_equal(entries->children[0]->name, "key"); /* Spark asks for these names */
  assert_string_equal(entries->children[1]->name, "value");
  batch.release(&batch);
  schema.release(&schema);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  pubsub_blocks_unref(blocks);
}

/* Consumers release in any order, and take children away; the chunk's memory stays until the last
 * is gone. */
static void each_array_is_released_on_its_own(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_ack_ids ids;
  struct ArrowSchema schema;
  struct ArrowArray batch, moved[6];
  (void)state;
  assert_int_equal(pubsub_blocks_new(0, &blocks), PUBSUB_OK);
  struct pubsub_chunk *chunk = rows_chunk(blocks, PUBSUB_COLUMN_ALL, 9, &ids);
  assert_int_equal(pubsub_chunk_export(chunk, &schema, &batch, NULL), PUBSUB_OK);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  for (int i = 0; i < 6; i++) {
    moved[i] = *batch.children[i];
    batch.children[i]->release = NULL;
  }
  schema.release(&schema);
  batch.release(&batch);
  assert_null(batch.release);
  const int32_t *offsets = moved[1].buffers[1];
  assert_memory_equal((const char *)moved[1].buffers[2] + offsets[8], "8", 1);
  for (int i = 5; i >= 0; i--) {
    moved[i].release(&moved[i]);
    assert_null(moved[i].release);
  }
  pubsub_blocks_unref(blocks);
}

static void without_memory_nothing_is_held(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_ack_ids ids;
  struct ArrowSchema schema;
  struct ArrowArray batch;
  struct pubsub_error error = {0};
  (void)state;
  assert_int_equal(pubsub_blocks_new(0, &blocks), PUBSUB_OK);
  struct pubsub_chunk *chunk = rows_chunk(blocks, PUBSUB_COLUMN_ALL, 3, &ids);
  uint64_t before = pubsub_alloc_live();
  enum pubsub_status status = PUBSUB_E_NOMEM;
  int failures = 0;
  for (uint64_t i = 1; status != PUBSUB_OK; i++) {
    pubsub_alloc_fail_after(i);
    status = pubsub_chunk_export(chunk, &schema, &batch, &error);
    pubsub_alloc_fail_after(0);
    if (status == PUBSUB_OK) break;
    assert_int_equal(error.status, PUBSUB_E_NOMEM);
    assert_int_equal(pubsub_alloc_live(), before);
    failures++;
  }
  assert_true(failures > 6);
  batch.release(&batch);
  schema.release(&schema);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  pubsub_blocks_unref(blocks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(the_schema_is_arrows, no_leaks),
      cmocka_unit_test_teardown(each_array_is_released_on_its_own, no_leaks),
      cmocka_unit_test_teardown(without_memory_nothing_is_held, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
