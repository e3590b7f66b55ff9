#include "support/chunk_check.h"

#include "base/utf8.h"
#include "support/fuzz.h"
#include <stdlib.h>

static const uint8_t *buffer_of(const struct pubsub_chunk_view *view, int buffer) {
  return (const uint8_t *)(uintptr_t)view->buffers[buffer].address;
}

int32_t chunk_i32(const struct pubsub_chunk_view *view, int buffer, uint32_t index) {
  int32_t value;
  FUZZ_CHECK(((uint64_t)index + 1) * 4 <= view->buffers[buffer].bytes);
  memcpy(&value, buffer_of(view, buffer) + (size_t)index * 4, 4);
  return value;
}

struct pubsub_view chunk_text(const struct pubsub_chunk_view *view, int offsets, int bytes,
                              uint32_t row) {
  int32_t begin = chunk_i32(view, offsets, row), end = chunk_i32(view, offsets, row + 1);
  FUZZ_CHECK(begin >= 0 && begin <= end && (uint64_t)end <= view->buffers[bytes].bytes);
  return pubsub_view_of(buffer_of(view, bytes) + begin, (size_t)(end - begin));
}

bool chunk_valid(const struct pubsub_chunk_view *view, int validity, uint32_t row) {
  if (view->buffers[validity].bytes == 0) return true;
  FUZZ_CHECK(row / 8 < view->buffers[validity].bytes);
  return buffer_of(view, validity)[row / 8] >> row % 8 & 1;
}

static void check_texts(const struct pubsub_chunk_view *view, int offsets, int bytes,
                        uint32_t count, bool text) {
  FUZZ_CHECK(view->buffers[offsets].bytes == ((uint64_t)count + 1) * 4);
  FUZZ_CHECK(chunk_i32(view, offsets, 0) == 0);
  FUZZ_CHECK((uint64_t)chunk_i32(view, offsets, count) == view->buffers[bytes].bytes);
  for (uint32_t i = 0; i < count; i++) {
    struct pubsub_view value = chunk_text(view, offsets, bytes, i);
    FUZZ_CHECK(!text || pubsub_utf8_valid(value.ptr, value.len));
  }
}

static void check_nulls(const struct pubsub_chunk_view *view, int validity, int32_t nulls) {
  int32_t found = 0;
  FUZZ_CHECK(nulls >= 0 && nulls <= view->rows);
  FUZZ_CHECK((view->buffers[validity].bytes > 0) == (nulls > 0));
  for (uint32_t row = 0; row < (uint32_t)view->rows; row++)
    found += !chunk_valid(view, validity, row);
  FUZZ_CHECK(found == nulls);
}

static void check_map(const struct pubsub_chunk_view *view, uint32_t rows) {
  int32_t before = 0;
  uint32_t entries = (uint32_t)view->attribute_entries;
  FUZZ_CHECK(view->attribute_entries >= 0);
  FUZZ_CHECK(chunk_i32(view, PUBSUB_BUFFER_ATTRIBUTES_OFFSETS, 0) == 0);
  for (uint32_t i = 0; i <= rows; i++) {
    int32_t offset = chunk_i32(view, PUBSUB_BUFFER_ATTRIBUTES_OFFSETS, i);
    FUZZ_CHECK(offset >= before);
    before = offset;
  }
  FUZZ_CHECK(before == view->attribute_entries);
  check_texts(view, PUBSUB_BUFFER_KEY_OFFSETS, PUBSUB_BUFFER_KEY_BYTES, entries, true);
  check_texts(view, PUBSUB_BUFFER_VALUE_OFFSETS, PUBSUB_BUFFER_VALUE_BYTES, entries, true);
}

static void check_view(const struct pubsub_chunk_view *view) {
  uint32_t rows = (uint32_t)view->rows;
  uint64_t bytes = 0;
  FUZZ_CHECK(view->rows > 0 && (view->columns & ~(uint32_t)PUBSUB_COLUMN_ALL) == 0);
  for (int i = 0; i < PUBSUB_BUFFER_COUNT; i++)
    bytes += view->buffers[i].bytes;
  FUZZ_CHECK(bytes == view->bytes);
  if (view->columns & PUBSUB_COLUMN_MESSAGE_ID) {
    check_texts(view, PUBSUB_BUFFER_MESSAGE_ID_OFFSETS, PUBSUB_BUFFER_MESSAGE_ID_BYTES, rows, true);
  }
  if (view->columns & PUBSUB_COLUMN_DATA) {
    check_texts(view, PUBSUB_BUFFER_DATA_OFFSETS, PUBSUB_BUFFER_DATA_BYTES, rows, false);
  }
  if (view->columns & PUBSUB_COLUMN_ATTRIBUTES) check_map(view, rows);
  if (view->columns & PUBSUB_COLUMN_PUBLISH_TIME) {
    FUZZ_CHECK(view->buffers[PUBSUB_BUFFER_PUBLISH_TIME].bytes == 8 * (uint64_t)rows);
  }
  if (view->columns & PUBSUB_COLUMN_ORDERING_KEY) {
    check_texts(view, PUBSUB_BUFFER_ORDERING_KEY_OFFSETS, PUBSUB_BUFFER_ORDERING_KEY_BYTES, rows,
                true);
    check_nulls(view, PUBSUB_BUFFER_ORDERING_KEY_VALIDITY, view->ordering_key_null_count);
  }
  if (view->columns & PUBSUB_COLUMN_DELIVERY_ATTEMPT) {
    FUZZ_CHECK(view->buffers[PUBSUB_BUFFER_DELIVERY_ATTEMPT].bytes == 4 * (uint64_t)rows);
    check_nulls(view, PUBSUB_BUFFER_DELIVERY_ATTEMPT_VALIDITY, view->delivery_attempt_null_count);
  }
}

/* Every buffer of an exported array is one of the chunk's, or none. */
static void check_array(const struct pubsub_chunk_view *view, const struct ArrowArray *array) {
  FUZZ_CHECK(array->release && array->offset == 0 && array->n_buffers <= 3);
  for (int64_t i = 0; i < array->n_buffers; i++) {
    bool known = array->buffers[i] == NULL;
    for (int k = 0; k < PUBSUB_BUFFER_COUNT; k++)
      known = known || array->buffers[i] == buffer_of(view, k);
    FUZZ_CHECK(known);
  }
  for (int64_t i = 0; i < array->n_children; i++)
    check_array(view, array->children[i]);
}

/* A child that is moved away lives on after its parent. */
static void check_export(struct pubsub_chunk *chunk, const struct pubsub_chunk_view *view) {
  struct ArrowSchema schema;
  struct ArrowArray array, moved = {0};
  FUZZ_CHECK(pubsub_chunk_export(chunk, &schema, &array, NULL) == PUBSUB_OK);
  FUZZ_CHECK(array.length == view->rows && array.n_children == schema.n_children);
  FUZZ_CHECK(array.n_children == __builtin_popcount(view->columns));
  check_array(view, &array);
  if (array.n_children > 0) {
    moved = *array.children[0];
    array.children[0]->release = NULL;
  }
  array.release(&array);
  schema.release(&schema);
  if (moved.release) {
    check_array(view, &moved);
    moved.release(&moved);
  }
}

static void check_packing(const struct pubsub_chunk *chunk) {
  struct pubsub_chunk *again;
  struct pubsub_chunk_view view;
  size_t bytes = pubsub_chunk_packed_bytes(chunk);
  uint8_t *packed = fuzz_alloc(bytes), *second = fuzz_alloc(bytes);
  pubsub_chunk_pack(chunk, packed);
  FUZZ_CHECK(pubsub_chunk_unpack(packed, bytes, &again, NULL) == PUBSUB_OK);
  pubsub_chunk_view(again, &view);
  check_view(&view);
  FUZZ_CHECK(pubsub_chunk_packed_bytes(again) == bytes);
  pubsub_chunk_pack(again, second);
  FUZZ_CHECK(memcmp(packed, second, bytes) == 0);
  pubsub_chunk_unref(again);
  FUZZ_CHECK(pubsub_chunk_unpack(packed, bytes - 1, &again, NULL) == PUBSUB_E_PROTOCOL);
  free(packed);
  free(second);
}

void chunk_check(struct pubsub_chunk *chunk) {
  struct pubsub_chunk_view view;
  pubsub_chunk_view(chunk, &view);
  check_view(&view);
  check_packing(chunk);
  check_export(chunk, &view);
}
