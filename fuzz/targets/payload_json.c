/*
 * Payloads of JSON: decoded all at once and field by field, they come to the same columns; modes
 * agree on which payloads fit; every offset is in order.
 *
 * Input: a byte that chooses a schema, one of what JSON may be, and payloads, with 0xfe between
 * them.
 */
#include "support/fuzz.h"
#include <pubsub/payload.h>
#include <stdlib.h>

#define ROWS 16
#define COLUMNS 32

static const char *const schemas[] = {
    "a INT, b STRING, c STRUCT<x: BIGINT, y: STRING>, _c STRING",
    "a ARRAY<INT>, b ARRAY<STRUCT<a: DOUBLE, b: ARRAY<STRING>>>, c MAP<STRING, INT>, _c STRING",
    "a BINARY, b DATE, c TIMESTAMP, d TIMESTAMP_NTZ, e DECIMAL(10,2), f FLOAT, g BOOLEAN",
    "a TINYINT, b SMALLINT, c DECIMAL(38,10), d STRUCT<a: BINARY, b: MAP<STRING, DATE>>, e DOUBLE",
};

static struct pubsub_payload *open(uint8_t schema, uint8_t allow, enum pubsub_payload_mode mode) {
  static const int64_t zone[] = {0, 3600, 1000000, 7200};
  const struct pubsub_payload_options options = {
      .schema = schemas[schema % (sizeof schemas / sizeof *schemas)],
      .mode = mode,
      .allow = allow,
      .corrupt_record = "_c",
      .zone = {zone, 2, 0},
  };
  struct pubsub_payload *out = NULL;
  FUZZ_CHECK(pubsub_payload_new(&options, &out, NULL) == PUBSUB_OK);
  return out;
}

static void check_column(const struct pubsub_payload_column *c) {
  const uint8_t *validity = (const uint8_t *)(uintptr_t)c->validity;
  const int32_t *offsets = (const int32_t *)(uintptr_t)c->offsets;
  int32_t nulls = 0;
  for (int32_t row = 0; row < c->rows; row++) {
    nulls += !(validity[row >> 3] >> (row & 7) & 1);
    if (offsets) FUZZ_CHECK(offsets[row] <= offsets[row + 1]);
  }
  FUZZ_CHECK(nulls == c->nulls);
}

static bool same(const struct pubsub_payload_column *a, const struct pubsub_payload_column *b) {
  if (a->rows != b->rows || a->nulls != b->nulls || !a->offsets != !b->offsets) return false;
  if (a->rows == 0 || !a->offsets) return true;
  size_t bytes = ((size_t)a->rows + 1) * sizeof(int32_t);
  return memcmp((void *)(uintptr_t)a->offsets, (void *)(uintptr_t)b->offsets, bytes) == 0;
}

/* Each field in a call of its own. */
static void decode_apart(struct pubsub_payload *payload) {
  for (uint64_t field = 8; field-- > 0;) {
    const uint64_t set = (uint64_t)1 << field;
    FUZZ_CHECK(pubsub_payload_decode(payload, &set, NULL) == PUBSUB_OK);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  struct pubsub_payload_column whole[COLUMNS], apart[COLUMNS], kept[COLUMNS];
  int32_t offsets[ROWS + 1] = {0}, count = 0;
  uint8_t schema = fuzz_u8(&input), allow = fuzz_u8(&input);
  struct pubsub_view rest = fuzz_rest(&input);
  uint8_t *bytes = fuzz_copy(rest);
  for (size_t i = 0; i < rest.len && count < ROWS - 1; i++) {
    if (bytes[i] == 0xfe) offsets[++count] = (int32_t)i;
  }
  offsets[++count] = (int32_t)rest.len;
  const struct pubsub_payload_rows rows = {
      .offsets = offsets, .bytes = bytes, .count = count, .now_us = 1000000};
  struct pubsub_payload *one = open(schema, allow, PUBSUB_PAYLOAD_PERMISSIVE);
  struct pubsub_payload *two = open(schema, allow, PUBSUB_PAYLOAD_PERMISSIVE);
  struct pubsub_payload *few = open(schema, allow, PUBSUB_PAYLOAD_DROPMALFORMED);
  pubsub_payload_begin(one, &rows);
  pubsub_payload_begin(two, &rows);
  pubsub_payload_begin(few, &rows);
  FUZZ_CHECK(pubsub_payload_decode(one, NULL, NULL) == PUBSUB_OK);
  decode_apart(two);
  FUZZ_CHECK(pubsub_payload_decode(few, NULL, NULL) == PUBSUB_OK);
  size_t columns = pubsub_payload_column_count(one);
  FUZZ_CHECK(columns <= COLUMNS);
  pubsub_payload_columns(one, whole);
  pubsub_payload_columns(two, apart);
  pubsub_payload_columns(few, kept);
  FUZZ_CHECK(whole[0].rows == count && kept[0].rows <= count);
  for (size_t i = 0; i < columns; i++) {
    check_column(&whole[i]);
    check_column(&kept[i]);
    FUZZ_CHECK(same(&whole[i], &apart[i]));
  }
  pubsub_payload_destroy(one);
  pubsub_payload_destroy(two);
  pubsub_payload_destroy(few);
  free(bytes);
  return 0;
}
