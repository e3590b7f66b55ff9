#include "rows.h"
#include "support.h"

#include "base/alloc.h"
#include "batch/drop_rows.h"
#include <stdio.h>
#include <stdlib.h>

#define ROWS 300

static void assert_text(const struct ArrowArray *array, int64_t row, const char *text) {
  const int32_t *offsets = array->buffers[1];
  int len = offsets[row + 1] - offsets[row];
  assert_int_equal(len, (int)strlen(text));
  assert_memory_equal((const char *)array->buffers[2] + offsets[row], text, (size_t)len);
}

static void check_all_columns(struct pubsub_chunk *chunk) {
  struct ArrowSchema schema;
  struct ArrowArray batch;
  assert_int_equal(pubsub_chunk_export(chunk, &schema, &batch, NULL), PUBSUB_OK);
  assert_string_equal(schema.format, "+s");
  assert_int_equal(schema.n_children, 6);
  assert_string_equal(schema.children[2]->format, "+m");
  assert_string_equal(schema.children[3]->format, "tsu:UTC");
  assert_int_equal(batch.length, ROWS);
  const int32_t *maps = batch.children[2]->buffers[1];
  const struct ArrowArray *pairs = batch.children[2]->children[0];
  const uint8_t *key_valid = batch.children[4]->buffers[0];
  const int64_t *times = batch.children[3]->buffers[1];
  for (int i = 0; i < ROWS; i++) {
    char text[64];
    snprintf(text, sizeof text, "%d", i);
    assert_text(batch.children[0], i, text);
    assert_text(batch.children[1], i, i % 5 ? text : "");
    assert_int_equal(maps[i + 1] - maps[i], i % 3);
    if (i % 3 > 0) assert_text(pairs->children[1], maps[i], text);
    if (i % 3 > 1) assert_text(pairs->children[1], maps[i] + 1, "\xef\xbf\xbd");
    assert_int_equal(times[i], i * 1000);
    assert_int_equal(key_valid[i / 8] >> i % 8 & 1, i % 3 == 0);
    assert_int_equal(((const int32_t *)batch.children[5]->buffers[1])[i], i % 2);
  }
  assert_int_equal(batch.children[4]->null_count, ROWS - ROWS / 3);
  /* A child that was moved away outlives its parent. */
  struct ArrowArray moved = *batch.children[1];
  batch.children[1]->release = NULL;
  batch.release(&batch);
  schema.release(&schema);
  assert_text(&moved, 1, "1");
  moved.release(&moved);
}

static void rows_come_out_as_they_went_in(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_builder *builder;
  struct pubsub_chunk *chunk, *unpacked;
  struct pubsub_ack_ids ids;
  (void)state;
  assert_int_equal(pubsub_blocks_new(1 << 20, &blocks), PUBSUB_OK);
  assert_int_equal(pubsub_builder_new(blocks, PUBSUB_COLUMN_ALL, &builder), PUBSUB_OK);
  for (int turn = 0; turn < 3; turn++) { /* blocks are used again */
    assert_int_equal(rows_append(builder, ROWS), PUBSUB_OK);
    assert_int_equal(pubsub_builder_seal(builder, &chunk, &ids), PUBSUB_OK);
    assert_int_equal(pubsub_builder_rows(builder), 0);
    assert_int_equal(ids.count, ROWS);
    assert_memory_equal(pubsub_ack_ids_at(&ids, 123).ptr, "123", 3);
    pubsub_ack_ids_clear(&ids);
    check_all_columns(chunk);
    size_t bytes = pubsub_chunk_packed_bytes(chunk);
    uint8_t *packed = malloc(bytes);
    pubsub_chunk_pack(chunk, packed);
    pubsub_chunk_unref(chunk);
    assert_int_equal(pubsub_chunk_unpack(packed, bytes, &unpacked, NULL), PUBSUB_OK);
    check_all_columns(unpacked);
    pubsub_chunk_unref(unpacked);
    free(packed);
  }
  pubsub_builder_destroy(builder);
  assert_int_equal(pubsub_blocks_used_bytes(blocks), 0);
  pubsub_blocks_unref(blocks);
}

static void every_set_of_columns(void **state) {
  struct pubsub_blocks *blocks;
  (void)state;
  assert_int_equal(pubsub_blocks_new(1 << 20, &blocks), PUBSUB_OK);
  for (uint32_t columns = 0; columns <= PUBSUB_COLUMN_ALL; columns++) {
    struct pubsub_builder *builder;
    struct pubsub_chunk *chunk, *copy;
    struct pubsub_ack_ids ids;
    struct pubsub_chunk_view view;
    struct ArrowSchema schema;
    struct ArrowArray batch;
    assert_int_equal(pubsub_builder_new(blocks, columns, &builder), PUBSUB_OK);
    assert_int_equal(rows_append(builder, 10), PUBSUB_OK);
    assert_int_equal(pubsub_builder_seal(builder, &chunk, &ids), PUBSUB_OK);
    pubsub_chunk_view(chunk, &view);
    assert_int_equal(view.rows, 10);
    assert_int_equal(view.columns, columns);
    assert_int_equal(view.buffers[PUBSUB_BUFFER_DATA_BYTES].address != 0,
                     (columns & PUBSUB_COLUMN_DATA) != 0);
    assert_int_equal(pubsub_chunk_export(chunk, &schema, &batch, NULL), PUBSUB_OK);
    assert_int_equal(batch.n_children, __builtin_popcount(columns));
    batch.release(&batch);
    schema.release(&schema);
    size_t bytes = pubsub_chunk_packed_bytes(chunk);
    uint8_t *packed = malloc(bytes);
    pubsub_chunk_pack(chunk, packed);
    assert_int_equal(pubsub_chunk_unpack(packed, bytes, &copy, NULL), PUBSUB_OK);
    pubsub_chunk_unref(copy);
    free(packed);
    pubsub_ack_ids_clear(&ids);
    pubsub_chunk_unref(chunk);
    pubsub_builder_destroy(builder);
  }
  pubsub_blocks_unref(blocks);
}

static void a_reserved_payload_survives_a_seal(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_builder *builder;
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  uint8_t *place;
  (void)state;
  assert_int_equal(pubsub_blocks_new(1 << 20, &blocks), PUBSUB_OK);
  assert_int_equal(pubsub_builder_new(blocks, PUBSUB_COLUMN_DATA, &builder), PUBSUB_OK);
  assert_int_equal(rows_append(builder, 10), PUBSUB_OK);
  assert_int_equal(pubsub_builder_reserve_data(builder, 200000, &place), PUBSUB_OK);
  memset(place, 'a', 100000);
  assert_int_equal(pubsub_builder_seal(builder, &chunk, &ids), PUBSUB_OK);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  memset(place + 100000, 'b', 100000);
  struct pubsub_received row = {.data = pubsub_view_of(place, 200000)};
  assert_int_equal(pubsub_builder_append(builder, &row), PUBSUB_OK);
  assert_int_equal(pubsub_builder_seal(builder, &chunk, &ids), PUBSUB_OK);
  struct pubsub_chunk_view view;
  pubsub_chunk_view(chunk, &view);
  const char *data = (const char *)(uintptr_t)view.buffers[PUBSUB_BUFFER_DATA_BYTES].address;
  assert_int_equal(view.buffers[PUBSUB_BUFFER_DATA_BYTES].bytes, 200000);
  assert_true(data[0] == 'a' && data[99999] == 'a' && data[100000] == 'b' && data[199999] == 'b');
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  pubsub_builder_destroy(builder);
  pubsub_blocks_unref(blocks);
}

/* Of a message that was cut off: its room would never be free otherwise, as no row comes. */
static void a_reserved_payload_that_does_not_come_takes_no_room(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_builder *builder;
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  uint8_t *place;
  (void)state;
  assert_int_equal(pubsub_blocks_new(1 << 20, &blocks), PUBSUB_OK);
  assert_int_equal(pubsub_builder_new(blocks, PUBSUB_COLUMN_DATA, &builder), PUBSUB_OK);
  uint64_t before = pubsub_blocks_used_bytes(blocks);
  assert_int_equal(pubsub_builder_reserve_data(builder, 200000, &place), PUBSUB_OK);
  assert_true(pubsub_blocks_used_bytes(blocks) >= before + 200000);
  pubsub_builder_forget_reserved(builder);
  assert_int_equal(pubsub_blocks_used_bytes(blocks), before);
  /* With rows the room goes with their chunk. */
  assert_int_equal(rows_append(builder, 10), PUBSUB_OK);
  assert_int_equal(pubsub_builder_reserve_data(builder, 200000, &place), PUBSUB_OK);
  pubsub_builder_forget_reserved(builder);
  assert_int_equal(pubsub_builder_seal(builder, &chunk, &ids), PUBSUB_OK);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  assert_true(pubsub_blocks_used_bytes(blocks) < before + 200000);
  pubsub_builder_destroy(builder);
  pubsub_blocks_unref(blocks);
}

/* Offsets are int32: the last byte that one can name is the column's last. The pages are never
 * touched. */
static void a_column_ends_before_its_offsets_do(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_builder *builder;
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  struct pubsub_chunk_view view;
  uint8_t *place;
  int32_t rows = 0, end;
  (void)state;
  assert_int_equal(pubsub_blocks_new(0, &blocks), PUBSUB_OK);
  assert_int_equal(pubsub_builder_new(blocks, PUBSUB_COLUMN_DATA, &builder), PUBSUB_OK);
  for (size_t len = (size_t)3 << 29; len > 0 && rows < 2; len = (size_t)1 << 29) {
    if (pubsub_builder_reserve_data(builder, len, &place) != PUBSUB_OK) break;
    struct pubsub_received row = {.data = pubsub_view_of(place, len)};
    assert_int_equal(pubsub_builder_append(builder, &row), PUBSUB_OK);
    rows++;
  }
  assert_int_equal(pubsub_builder_seal(builder, &chunk, &ids), PUBSUB_OK);
  pubsub_chunk_view(chunk, &view);
  const uint8_t *offsets =
      (const uint8_t *)(uintptr_t)view.buffers[PUBSUB_BUFFER_DATA_OFFSETS].address;
  memcpy(&end, offsets + 4 * rows, sizeof end);
  assert_true(end > 0);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  pubsub_builder_destroy(builder);
  pubsub_blocks_unref(blocks);
}

static void every_allocation_may_fail(void **state) {
  bool done = false;
  (void)state;
  for (uint64_t i = 1; !done; i++) {
    struct pubsub_blocks *blocks = NULL;
    struct pubsub_builder *builder = NULL;
    struct pubsub_chunk *chunk = NULL, *copy = NULL;
    struct pubsub_ack_ids ids = {0};
    struct ArrowSchema schema;
    struct ArrowArray batch;
    uint8_t *packed = NULL;
    pubsub_alloc_fail_after(i);
    enum pubsub_status status = pubsub_blocks_new(0, &blocks);
    if (status == PUBSUB_OK) status = pubsub_builder_new(blocks, PUBSUB_COLUMN_ALL, &builder);
    if (status == PUBSUB_OK) status = rows_append(builder, 50);
    if (status == PUBSUB_OK) status = pubsub_builder_seal(builder, &chunk, &ids);
    if (status == PUBSUB_OK) {
      status = pubsub_chunk_export(chunk, &schema, &batch, NULL);
      if (status == PUBSUB_OK) {
        batch.release(&batch);
        schema.release(&schema);
      }
    }
    if (status == PUBSUB_OK) {
      packed = malloc(pubsub_chunk_packed_bytes(chunk));
      pubsub_chunk_pack(chunk, packed);
      status = pubsub_chunk_unpack(packed, pubsub_chunk_packed_bytes(chunk), &copy, NULL);
    }
    assert_true(status == PUBSUB_OK || status == PUBSUB_E_NOMEM);
    done = status == PUBSUB_OK;
    pubsub_alloc_fail_after(0);
    free(packed);
    pubsub_chunk_unref(copy);
    pubsub_chunk_unref(chunk);
    pubsub_ack_ids_clear(&ids);
    pubsub_builder_destroy(builder);
    pubsub_blocks_unref(blocks);
    assert_int_equal(pubsub_alloc_live(), 0);
  }
}

static int64_t sealed_oldest(struct pubsub_builder *builder, const int64_t *times, size_t count) {
  struct pubsub_chunk *chunk;
  struct pubsub_chunk_view view;
  struct pubsub_ack_ids ids;
  for (size_t i = 0; i < count; i++) {
    struct pubsub_received row = {.publish_time_us = times[i]};
    assert_int_equal(pubsub_builder_append(builder, &row), PUBSUB_OK);
  }
  assert_int_equal(pubsub_builder_seal(builder, &chunk, &ids), PUBSUB_OK);
  pubsub_chunk_view(chunk, &view);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  return view.oldest_publish_us;
}

static void the_oldest_publish_time_is_known_without_its_column(void **state) {
  struct pubsub_blocks *blocks;
  struct pubsub_builder *builder;
  (void)state;
  assert_int_equal(pubsub_blocks_new(1 << 20, &blocks), PUBSUB_OK);
  assert_int_equal(pubsub_builder_new(blocks, PUBSUB_COLUMN_DATA, &builder), PUBSUB_OK);
  assert_int_equal(sealed_oldest(builder, (const int64_t[]){5000, 3000, 7000}, 3), 3000);
  assert_int_equal(sealed_oldest(builder, (const int64_t[]){9000}, 1), 9000);
  pubsub_builder_destroy(builder);
  pubsub_blocks_unref(blocks);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(rows_come_out_as_they_went_in, no_leaks),
      cmocka_unit_test_teardown(every_set_of_columns, no_leaks),
      cmocka_unit_test_teardown(a_reserved_payload_survives_a_seal, no_leaks),
      cmocka_unit_test_teardown(a_reserved_payload_that_does_not_come_takes_no_room, no_leaks),
      cmocka_unit_test_teardown(a_column_ends_before_its_offsets_do, no_leaks),
      cmocka_unit_test_teardown(the_oldest_publish_time_is_known_without_its_column, no_leaks),
      cmocka_unit_test_teardown(every_allocation_may_fail, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
