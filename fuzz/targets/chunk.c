/*
 * A response through the decoder into chunks, as a slot does it: whatever a server sends, each
 * sealed chunk holds what Arrow asks for, row by row what was received, and each of its forms
 * (packed, exported, with rows left out) says the same.
 *
 * Now and then there is no memory: then nothing has changed, and the next attempt goes on from
 * there.
 *
 * Input: columns, rows a chunk, which are left out, how often a message comes, when memory lacks,
 * how it is cut, then a StreamingPullResponse.
 */
#include "base/alloc.h"
#include "base/utf8.h"
#include "batch/builder.h"
#include "batch/drop_rows.h"
#include "support/chunk_check.h"
#include "support/fuzz.h"
#include <stdlib.h>

struct row { /* copies of what was received, texts repaired */
  struct pubsub_buf ack_id, message_id, data, ordering_key, attributes;
  int64_t publish_time_us;
  int32_t delivery_attempt;
  uint32_t attribute_count;
};

struct slot {
  struct pubsub_builder *builder;
  uint32_t columns, chunk_rows;
  uint8_t drop;    /* rows whose index & drop is 0 are left out once */
  uint8_t repeats; /* a message comes once more so often */
  uint8_t failing; /* this allocation of an operation fails; 0: none */
  struct row *rows;
  size_t count, cap;
};

static void put(struct pubsub_buf *out, struct pubsub_view view) {
  FUZZ_CHECK(view.len == 0 || pubsub_buf_append(out, view.ptr, view.len) == PUBSUB_OK);
}

static void put_text(struct pubsub_buf *out, struct pubsub_view view) {
  size_t len = pubsub_utf8_repair(view.ptr, view.len, NULL);
  FUZZ_CHECK(pubsub_buf_reserve(out, len + 1) == PUBSUB_OK);
  pubsub_utf8_repair(view.ptr, view.len, out->ptr + out->len);
  out->len += len;
  out->ptr[out->len++] = 0xff; /* no text has it: ends one */
}

static void remember(struct slot *slot, const struct pubsub_received *message) {
  if (slot->count == slot->cap) {
    slot->cap = slot->cap ? slot->cap * 2 : 16;
    slot->rows = realloc(slot->rows, slot->cap * sizeof *slot->rows);
    FUZZ_CHECK(slot->rows != NULL);
  }
  struct row *row = &slot->rows[slot->count++];
  *row = (struct row){.publish_time_us = message->publish_time_us,
                      .delivery_attempt = message->delivery_attempt,
                      .attribute_count = (uint32_t)message->attribute_count};
  put(&row->ack_id, message->ack_id);
  if (message->data.ptr) put(&row->data, message->data); /* NULL where the column is not wanted */
  put_text(&row->message_id, message->message_id);
  put_text(&row->ordering_key, message->ordering_key);
  for (size_t i = 0; i < message->attribute_count; i++) {
    put_text(&row->attributes, message->attributes[i].key);
    put_text(&row->attributes, message->attributes[i].value);
  }
}

static void forget(struct slot *slot) {
  for (size_t i = 0; i < slot->count; i++) {
    pubsub_buf_clear(&slot->rows[i].ack_id);
    pubsub_buf_clear(&slot->rows[i].message_id);
    pubsub_buf_clear(&slot->rows[i].data);
    pubsub_buf_clear(&slot->rows[i].ordering_key);
    pubsub_buf_clear(&slot->rows[i].attributes);
  }
  slot->count = 0;
}

static void check_text(struct pubsub_view view, const struct pubsub_buf *text, size_t at) {
  FUZZ_CHECK(at + view.len < text->len && text->ptr[at + view.len] == 0xff);
  FUZZ_CHECK(view.len == 0 || memcmp(view.ptr, text->ptr + at, view.len) == 0);
}

static void check_attributes(const struct pubsub_chunk_view *view, uint32_t index,
                             const struct row *row) {
  int32_t begin = chunk_i32(view, PUBSUB_BUFFER_ATTRIBUTES_OFFSETS, index);
  int32_t end = chunk_i32(view, PUBSUB_BUFFER_ATTRIBUTES_OFFSETS, index + 1);
  size_t at = 0;
  FUZZ_CHECK((uint32_t)(end - begin) == row->attribute_count);
  for (uint32_t i = (uint32_t)begin; i < (uint32_t)end; i++) {
    struct pubsub_view key =
        chunk_text(view, PUBSUB_BUFFER_KEY_OFFSETS, PUBSUB_BUFFER_KEY_BYTES, i);
    struct pubsub_view value =
        chunk_text(view, PUBSUB_BUFFER_VALUE_OFFSETS, PUBSUB_BUFFER_VALUE_BYTES, i);
    check_text(key, &row->attributes, at);
    check_text(value, &row->attributes, at + key.len + 1);
    at += key.len + value.len + 2;
  }
}

static void check_row(const struct pubsub_chunk_view *view, const struct pubsub_ack_ids *ids,
                      uint32_t index, const struct row *row) {
  FUZZ_CHECK(pubsub_view_equal(pubsub_ack_ids_at(ids, index),
                               pubsub_view_of(row->ack_id.ptr, row->ack_id.len)));
  if (view->columns & PUBSUB_COLUMN_MESSAGE_ID) {
    check_text(
        chunk_text(view, PUBSUB_BUFFER_MESSAGE_ID_OFFSETS, PUBSUB_BUFFER_MESSAGE_ID_BYTES, index),
        &row->message_id, 0);
  }
  if (view->columns & PUBSUB_COLUMN_DATA) {
    FUZZ_CHECK(pubsub_view_equal(
        chunk_text(view, PUBSUB_BUFFER_DATA_OFFSETS, PUBSUB_BUFFER_DATA_BYTES, index),
        pubsub_view_of(row->data.ptr, row->data.len)));
  }
  if (view->columns & PUBSUB_COLUMN_ATTRIBUTES) check_attributes(view, index, row);
  if (view->columns & PUBSUB_COLUMN_ORDERING_KEY) {
    check_text(chunk_text(view, PUBSUB_BUFFER_ORDERING_KEY_OFFSETS,
                          PUBSUB_BUFFER_ORDERING_KEY_BYTES, index),
               &row->ordering_key, 0);
    FUZZ_CHECK(chunk_valid(view, PUBSUB_BUFFER_ORDERING_KEY_VALIDITY, index) ==
               (row->ordering_key.len > 1));
  }
  if (view->columns & PUBSUB_COLUMN_DELIVERY_ATTEMPT) {
    FUZZ_CHECK(chunk_i32(view, PUBSUB_BUFFER_DELIVERY_ATTEMPT, index) == row->delivery_attempt);
    FUZZ_CHECK(chunk_valid(view, PUBSUB_BUFFER_DELIVERY_ATTEMPT_VALIDITY, index) ==
               (row->delivery_attempt != 0));
  }
}

/* Gives some rows another ack id, and takes it for theirs. */
static void replace_ids(struct slot *slot, struct pubsub_ack_ids *ids) {
  for (uint32_t i = 0; i < ids->count; i += slot->drop + 1u) {
    struct pubsub_buf *id = &slot->rows[i].ack_id;
    put(id, pubsub_view_of("newer", slot->drop % 6));
    FUZZ_CHECK(pubsub_ack_ids_replace(ids, i, pubsub_view_of(id->ptr, id->len)) == PUBSUB_OK);
  }
}

/* The next operation lacks memory at one place, its repetition does not. */
static void fail_next(const struct slot *slot) {
  pubsub_alloc_fail_after(slot->failing);
}

static bool succeeded(enum pubsub_status status) {
  pubsub_alloc_fail_after(0);
  FUZZ_CHECK(status == PUBSUB_OK || status == PUBSUB_E_NOMEM);
  return status == PUBSUB_OK;
}

static void try_export(const struct slot *slot, struct pubsub_chunk *chunk) {
  struct ArrowSchema schema;
  struct ArrowArray array;
  fail_next(slot);
  if (!succeeded(pubsub_chunk_export(chunk, &schema, &array, NULL))) return;
  schema.release(&schema);
  array.release(&array);
}

static void try_unpack(const struct slot *slot, const struct pubsub_chunk *chunk) {
  struct pubsub_chunk *out = NULL;
  size_t bytes = pubsub_chunk_packed_bytes(chunk);
  uint8_t *packed = fuzz_alloc(bytes);
  pubsub_chunk_pack(chunk, packed);
  fail_next(slot);
  succeeded(pubsub_chunk_unpack(packed, bytes, &out, NULL));
  pubsub_chunk_unref(out);
  free(packed);
}

static void check_dropping(struct slot *slot, const struct pubsub_chunk *chunk,
                           const struct pubsub_ack_ids *ids) {
  struct pubsub_chunk *rest;
  struct pubsub_ack_ids rest_ids;
  struct pubsub_chunk_view view;
  uint32_t kept = 0;
  uint8_t *drop = fuzz_alloc(ids->count);
  for (uint32_t i = 0; i < ids->count; i++) {
    drop[i] = (i & slot->drop) == 0;
    kept += !drop[i];
  }
  if (kept > 0) {
    fail_next(slot);
    if (!succeeded(pubsub_chunk_drop_rows(chunk, ids, drop, &rest, &rest_ids))) {
      FUZZ_CHECK(pubsub_chunk_drop_rows(chunk, ids, drop, &rest, &rest_ids) == PUBSUB_OK);
    }
    pubsub_chunk_view(rest, &view);
    FUZZ_CHECK((uint32_t)view.rows == kept);
    for (uint32_t i = 0, row = 0; i < ids->count; i++) {
      if (!drop[i]) check_row(&view, &rest_ids, row++, &slot->rows[i]);
    }
    chunk_check(rest);
    pubsub_ack_ids_clear(&rest_ids);
    pubsub_chunk_unref(rest);
  }
  free(drop);
}

static void seal(struct slot *slot) {
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  struct pubsub_chunk_view view;
  FUZZ_CHECK(pubsub_builder_rows(slot->builder) == slot->count);
  fail_next(slot);
  if (!succeeded(pubsub_builder_seal(slot->builder, &chunk, &ids))) {
    FUZZ_CHECK(pubsub_builder_rows(slot->builder) == slot->count);
    FUZZ_CHECK(pubsub_builder_seal(slot->builder, &chunk, &ids) == PUBSUB_OK);
  }
  pubsub_chunk_view(chunk, &view);
  FUZZ_CHECK((size_t)view.rows == slot->count && ids.count == slot->count);
  FUZZ_CHECK(view.columns == slot->columns);
  replace_ids(slot, &ids);
  for (uint32_t i = 0; i < ids.count; i++)
    check_row(&view, &ids, i, &slot->rows[i]);
  chunk_check(chunk);
  try_export(slot, chunk);
  try_unpack(slot, chunk);
  check_dropping(slot, chunk, &ids);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  forget(slot);
}

static void append(struct slot *slot, const struct pubsub_received *message) {
  remember(slot, message);
  fail_next(slot);
  if (!succeeded(pubsub_builder_append(slot->builder, message))) {
    FUZZ_CHECK(pubsub_builder_rows(slot->builder) == slot->count - 1);
    FUZZ_CHECK(pubsub_builder_append(slot->builder, message) == PUBSUB_OK);
  }
}

static enum pubsub_status on_message(void *user, const struct pubsub_received *message) {
  struct slot *slot = user;
  append(slot, message);
  uint8_t *data = fuzz_copy(
      pubsub_view_of(slot->rows[slot->count - 1].data.ptr, slot->rows[slot->count - 1].data.len));
  struct pubsub_received again = *message;
  if (again.data.ptr)
    again.data.ptr = data; /* its own bytes may be where the next row's are written */
  for (uint8_t i = 0; i < slot->repeats; i++)
    append(slot, &again);
  free(data);
  if (slot->count >= slot->chunk_rows) seal(slot);
  return PUBSUB_OK;
}

/* Seals between the pieces of a payload too, as a slot's linger does. */
static enum pubsub_status reserve_data(void *user, size_t len, uint8_t **out) {
  struct slot *slot = user;
  fail_next(slot);
  enum pubsub_status status = pubsub_builder_reserve_data(slot->builder, len, out);
  if (!succeeded(status)) status = pubsub_builder_reserve_data(slot->builder, len, out);
  if (slot->count > 0 && slot->drop & 1) seal(slot);
  return status;
}

static const struct pubsub_pull_sink sink = {.on_message = on_message,
                                             .reserve_data = reserve_data};

static void feed(struct slot *slot, struct pubsub_view response, struct fuzz_input cuts,
                 uint8_t mode) {
  struct pubsub_pull_decoder *decoder;
  FUZZ_CHECK(pubsub_pull_decoder_new(&sink, slot, (size_t)1 << 20, &decoder) == PUBSUB_OK);
  enum pubsub_status status = pubsub_pull_decoder_begin(decoder, response.len, NULL);
  for (size_t at = 0; status == PUBSUB_OK && at < response.len;) {
    size_t len = fuzz_split(&cuts, mode, response.len - at);
    uint8_t *piece = fuzz_copy(pubsub_view_of(response.ptr + at, len));
    status = pubsub_pull_decoder_feed(decoder, piece, len, NULL);
    free(piece);
    at += len;
  }
  pubsub_pull_decoder_destroy(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  struct pubsub_blocks *blocks;
  struct slot slot = {.columns = fuzz_u8(&input) & PUBSUB_COLUMN_ALL};
  slot.chunk_rows = fuzz_u8(&input) + 1u;
  slot.drop = fuzz_u8(&input);
  slot.repeats = fuzz_u8(&input) % 16;
  slot.failing = fuzz_u8(&input);
  uint8_t mode = fuzz_u8(&input);
  FUZZ_CHECK(pubsub_blocks_new((uint64_t)1 << 20, &blocks) == PUBSUB_OK);
  FUZZ_CHECK(pubsub_builder_new(blocks, slot.columns, &slot.builder) == PUBSUB_OK);
  struct pubsub_view response = fuzz_rest(&input);
  feed(&slot, response, (struct fuzz_input){data, size}, mode);
  if (slot.count > 0) seal(&slot);
  free(slot.rows);
  FUZZ_CHECK(pubsub_builder_rows(slot.builder) == 0 && pubsub_builder_bytes(slot.builder) == 0);
  pubsub_builder_destroy(slot.builder);
  FUZZ_CHECK(pubsub_blocks_used_bytes(blocks) == 0);
  FUZZ_CHECK(pubsub_blocks_peak_bytes(blocks) >= pubsub_blocks_used_bytes(blocks));
  pubsub_blocks_unref(blocks);
  return 0;
}
