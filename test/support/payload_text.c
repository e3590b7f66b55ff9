#include "payload_text.h"

#include "payload/schema.h"
#include "support.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Where the text goes, and the columns in the order of the schema. */
struct text {
  char *out;
  size_t left;
  const struct pubsub_payload_column *columns;
};

static void put(struct text *t, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int len = vsnprintf(t->out, t->left, format, arguments);
  va_end(arguments);
  assert_true(len >= 0 && (size_t)len < t->left);
  t->out += len;
  t->left -= (size_t)len;
}

static void value(struct text *t, const struct pubsub_schema *type, size_t at, int32_t row);

static void list(struct text *t, const struct pubsub_schema *type, size_t at, int32_t row) {
  const int32_t *offsets = (const int32_t *)(uintptr_t)t->columns[at].offsets;
  bool map = type->type == PUBSUB_TYPE_MAP;
  put(t, map ? "{" : "[");
  for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
    if (i > offsets[row]) put(t, " ");
    value(t, &type->children[0], at + 1, i);
    if (map) put(t, "=");
    if (map) value(t, &type->children[1], at + 2, i);
  }
  put(t, map ? "}" : "]");
}

static void fields(struct text *t, const struct pubsub_schema *type, size_t at, int32_t row) {
  put(t, "{");
  at++;
  for (uint32_t i = 0; i < type->count; i++) {
    put(t, "%s%.*s=", i ? " " : "", (int)type->children[i].name.len, type->children[i].name.ptr);
    value(t, &type->children[i], at, row);
    at += pubsub_schema_nodes(&type->children[i]);
  }
  put(t, "}");
}

static void bytes(struct text *t, const struct pubsub_schema *type, size_t at, int32_t row) {
  const int32_t *offsets = (const int32_t *)(uintptr_t)t->columns[at].offsets;
  const uint8_t *data = (const uint8_t *)(uintptr_t)t->columns[at].data;
  int32_t len = offsets[row + 1] - offsets[row];
  if (type->type == PUBSUB_TYPE_STRING) {
    put(t, "\"%.*s\"", (int)len, len ? (const char *)data + offsets[row] : "");
    return;
  }
  put(t, "x");
  for (int32_t i = 0; i < len; i++)
    put(t, "%02x", data[offsets[row] + i]);
}

static void fixed(struct text *t, const struct pubsub_schema *type, const uint8_t *data,
                  int32_t row) {
  switch (type->type) {
  case PUBSUB_TYPE_BOOLEAN:
    put(t, data[row >> 3] >> (row & 7) & 1 ? "true" : "false");
    break;
  case PUBSUB_TYPE_BYTE:
    put(t, "%d", ((const int8_t *)data)[row]);
    break;
  case PUBSUB_TYPE_SHORT:
    put(t, "%d", ((const int16_t *)data)[row]);
    break;
  case PUBSUB_TYPE_INT:
  case PUBSUB_TYPE_DATE:
    put(t, "%" PRId32, ((const int32_t *)data)[row]);
    break;
  case PUBSUB_TYPE_FLOAT:
    put(t, "%.9g", (double)((const float *)data)[row]);
    break;
  case PUBSUB_TYPE_DOUBLE:
    put(t, "%.17g", ((const double *)data)[row]);
    break;
  default: /* of a decimal, the lower half */
    put(t, "%" PRId64, ((const int64_t *)data)[type->type == PUBSUB_TYPE_DECIMAL ? 2 * row : row]);
  }
}

static void value(struct text *t, const struct pubsub_schema *type, size_t at, int32_t row) {
  const struct pubsub_payload_column *column = &t->columns[at];
  const uint8_t *validity = (const uint8_t *)(uintptr_t)column->validity;
  assert_true(row < column->rows);
  if (!(validity[row >> 3] >> (row & 7) & 1))
    put(t, "null");
  else if (type->type == PUBSUB_TYPE_STRUCT)
    fields(t, type, at, row);
  else if (type->count > 0)
    list(t, type, at, row);
  else if (column->offsets)
    bytes(t, type, at, row);
  else
    fixed(t, type, (const uint8_t *)(uintptr_t)column->data, row);
}

void payload_row_text(const char *schema, const struct pubsub_payload *payload, int32_t row,
                      char *out, size_t out_bytes) {
  struct pubsub_schema type;
  size_t count = pubsub_payload_column_count(payload);
  struct pubsub_payload_column *columns = calloc(count, sizeof *columns);
  assert_non_null(columns);
  assert_int_equal(pubsub_schema_parse(pubsub_view_str(schema), &type, NULL), PUBSUB_OK);
  pubsub_payload_columns(payload, columns);
  value(&(struct text){out, out_bytes, columns}, &type, 0, row);
  pubsub_schema_clear(&type);
  free(columns);
}

void payload_text(const char *schema, const void *payload, size_t len, char *out,
                  size_t out_bytes) {
  const struct pubsub_payload_options options = {
      .schema = schema, .allow = PUBSUB_ALLOW_DEFAULT, .corrupt_record = "_c"};
  const int32_t offsets[] = {0, (int32_t)len};
  const struct pubsub_payload_rows rows = {.offsets = offsets, .bytes = payload, .count = 1};
  struct pubsub_payload *decoder;
  assert_int_equal(pubsub_payload_new(&options, &decoder, NULL), PUBSUB_OK);
  pubsub_payload_begin(decoder, &rows);
  assert_int_equal(pubsub_payload_decode(decoder, NULL, NULL), PUBSUB_OK);
  payload_row_text(schema, decoder, 0, out, out_bytes);
  pubsub_payload_destroy(decoder);
}
