#include "payload/json_row.h"

#include "payload/ascii.h"
#include "base/utf8.h"
#include "payload/java_text.h"
#include "payload/json_copy.h"
#include "payload/number.h"

/* How a conversion ends. */
enum end {
  DONE,
  PARTIAL,
  MISFIT, /* nothing was appended */
  FAILED, /* no memory, or a column is full: gives up */
};

static enum end convert(struct pubsub_json_row *row, struct pubsub_column *column);

static enum end note(struct pubsub_json_row *row, const char *why) {
  if (!row->why) {
    row->why = why;
    row->where = pubsub_json_name(&row->json);
  }
  return MISFIT;
}

static enum end malformed(struct pubsub_json_row *row) {
  if (row->json.out_of_memory) {
    row->failure = PUBSUB_E_NOMEM;
    return FAILED;
  }
  return note(row, row->json.why ? row->json.why : "malformed JSON");
}

static enum end appended(struct pubsub_json_row *row, enum pubsub_status status) {
  if (status == PUBSUB_OK) return DONE;
  row->failure = status;
  return FAILED;
}

static enum end misfit(struct pubsub_json_row *row, const struct pubsub_column *column,
                       const char *why) {
  if (!row->why) row->expected = pubsub_type_name(column->type->type);
  return note(row, why);
}

/* The value is of a kind that the type does not take. */
static enum end wrong_kind(struct pubsub_json_row *row, const struct pubsub_column *column) {
  if (row->json.token == PUBSUB_JSON_STRING && !pubsub_json_finish_string(&row->json))
    return malformed(row);
  return misfit(row, column, "a value of another kind");
}

static struct pubsub_digits digits_of(const struct pubsub_json *json) {
  return (struct pubsub_digits){json->text, json->negative, json->token == PUBSUB_JSON_INT};
}

static enum end convert_boolean(struct pubsub_json_row *row, struct pubsub_column *column) {
  uint8_t value = row->json.token == PUBSUB_JSON_TRUE;
  if (!value && row->json.token != PUBSUB_JSON_FALSE) return wrong_kind(row, column);
  return appended(row, pubsub_column_append_value(column, &value));
}

/* Jackson takes 128 to 255 for a byte too, and they become negative. */
static enum end convert_integer(struct pubsub_json_row *row, struct pubsub_column *column) {
  int64_t value;
  if (row->json.token != PUBSUB_JSON_INT) return wrong_kind(row, column);
  bool fits = pubsub_number_long(digits_of(&row->json), &value);
  if (column->width == 1) fits = fits && value >= INT8_MIN && value <= UINT8_MAX;
  if (column->width == 2) fits = fits && value >= INT16_MIN && value <= INT16_MAX;
  if (column->width == 4) fits = fits && value >= INT32_MIN && value <= INT32_MAX;
  if (!fits) return misfit(row, column, "a number beyond its range");
  int8_t value8 = (int8_t)value;
  int16_t value16 = (int16_t)value;
  int32_t value32 = (int32_t)value;
  const void *at = column->width == 1   ? (const void *)&value8
                   : column->width == 2 ? (const void *)&value16
                   : column->width == 4 ? (const void *)&value32
                                        : (const void *)&value;
  return appended(row, pubsub_column_append_value(column, at));
}

static bool not_finite(struct pubsub_view text, double *out) {
  static const struct {
    const char *text;
    double value;
  } known[] = {{"NaN", __builtin_nan("")},     {"+INF", __builtin_inf()},
               {"+Infinity", __builtin_inf()}, {"Infinity", __builtin_inf()},
               {"-INF", -__builtin_inf()},     {"-Infinity", -__builtin_inf()}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    *out = known[i].value;
    if (pubsub_view_equal(text, pubsub_view_str(known[i].text))) return true;
  }
  return false;
}

static enum end append_floating(struct pubsub_json_row *row, struct pubsub_column *column,
                                double wide, float narrow) {
  const void *at = column->width == 8 ? (const void *)&wide : (const void *)&narrow;
  return appended(row, pubsub_column_append_value(column, at));
}

static enum end convert_floating(struct pubsub_json_row *row, struct pubsub_column *column) {
  struct pubsub_json *json = &row->json;
  double wide = 0;
  float narrow = 0;
  bool number = json->token == PUBSUB_JSON_INT || json->token == PUBSUB_JSON_FLOAT;
  if (number && !(json->token == PUBSUB_JSON_FLOAT && json->not_finite)) {
    bool done = column->width == 8 ? pubsub_number_double(digits_of(json), row->c, &wide)
                                   : pubsub_number_float(digits_of(json), row->c, &narrow);
    return done ? append_floating(row, column, wide, narrow)
                : misfit(row, column, "a number of too many digits");
  }
  if (!number && json->token != PUBSUB_JSON_STRING) return wrong_kind(row, column);
  if (!number && !pubsub_json_finish_string(json)) return malformed(row);
  if (!not_finite(json->text, &wide) || !(row->allow & PUBSUB_ALLOW_NON_NUMERIC_NUMBERS))
    return misfit(row, column, "text that is no number");
  return append_floating(row, column, wide, (float)wide);
}

static enum end convert_decimal(struct pubsub_json_row *row, struct pubsub_column *column) {
  struct pubsub_json *json = &row->json;
  uint8_t precision = column->type->precision, scale = column->type->scale;
  __int128 value;
  bool fits = false;
  if (json->token == PUBSUB_JSON_STRING) {
    if (!pubsub_json_finish_string(json)) return malformed(row);
    fits = json->text.len > 0 && pubsub_number_decimal_text(json->text, precision, scale, &value);
  } else if (json->token == PUBSUB_JSON_INT ||
             (json->token == PUBSUB_JSON_FLOAT && !json->not_finite)) {
    fits = pubsub_number_decimal(digits_of(json), precision, scale, &value);
  } else {
    return wrong_kind(row, column);
  }
  if (!fits) return misfit(row, column, "no number, or one beyond its precision");
  return appended(row, pubsub_column_append_value(column, &value));
}

/* Text without "GMT", wherever it stands: what Spark tries when a text is no timestamp. */
static struct pubsub_view without_gmt(struct pubsub_json_row *row) {
  struct pubsub_view text = row->json.text;
  row->text.len = 0;
  if (pubsub_buf_reserve(&row->text, text.len + 1) != PUBSUB_OK) return text;
  for (size_t i = 0; i < text.len;) {
    bool gmt = text.len - i >= 3 && memcmp(text.ptr + i, "GMT", 3) == 0;
    if (!gmt) row->text.ptr[row->text.len++] = text.ptr[i];
    i += gmt ? 3 : 1;
  }
  return pubsub_view_of(row->text.ptr, row->text.len);
}

/* Java's Integer.parseInt: days since 1970, of Spark 1.5, in the Julian calendar. */
static bool days_as_number(struct pubsub_view text, int32_t *out) {
  size_t sign = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
  struct pubsub_digits digits = {pubsub_view_of(text.ptr + sign, text.len - sign),
                                 text.len > 0 && text.ptr[0] == '-', true};
  int64_t value;
  for (size_t i = 0; i < digits.text.len; i++) {
    if (!pubsub_is_digit(digits.text.ptr[i])) return false;
  }
  while (digits.text.len > 1 && digits.text.ptr[0] == '0')
    digits.text = pubsub_view_of(digits.text.ptr + 1, digits.text.len - 1);
  if (digits.text.len == 0 || !pubsub_number_long(digits, &value)) return false;
  if (value < INT32_MIN || value > INT32_MAX) return false;
  *out = pubsub_datetime_rebase((int32_t)value);
  return true;
}

static enum end convert_date(struct pubsub_json_row *row, struct pubsub_column *column) {
  int32_t days;
  if (row->json.token != PUBSUB_JSON_STRING) return wrong_kind(row, column);
  if (!pubsub_json_finish_string(&row->json)) return malformed(row);
  struct pubsub_view text = row->json.text;
  bool fits = text.len > 0 &&
              (pubsub_datetime_date(text, &days) || pubsub_datetime_date(without_gmt(row), &days) ||
               days_as_number(text, &days));
  if (!fits) return misfit(row, column, "text that is no date");
  return appended(row, pubsub_column_append_value(column, &days));
}

static enum end convert_timestamp(struct pubsub_json_row *row, struct pubsub_column *column) {
  struct pubsub_json *json = &row->json;
  bool zoned = column->type->type == PUBSUB_TYPE_TIMESTAMP;
  int64_t us;
  bool fits;
  if (json->token == PUBSUB_JSON_INT && zoned) {
    if (!pubsub_number_long(digits_of(json), &us))
      return misfit(row, column, "a number beyond its range");
    us = (int64_t)((uint64_t)us * 1000000u); /* Java's multiplication wraps */
    return appended(row, pubsub_column_append_value(column, &us));
  }
  if (json->token != PUBSUB_JSON_STRING) return wrong_kind(row, column);
  if (!pubsub_json_finish_string(json)) return malformed(row);
  if (zoned)
    fits = json->text.len > 0 && (pubsub_datetime_timestamp(json->text, &row->datetime, &us) ||
                                  pubsub_datetime_timestamp(without_gmt(row), &row->datetime, &us));
  else
    fits = json->text.len > 0 && pubsub_datetime_local(json->text, &us);
  if (!fits) return misfit(row, column, "text that is no timestamp");
  return appended(row, pubsub_column_append_value(column, &us));
}

static enum end append_text(struct pubsub_json_row *row, struct pubsub_column *column,
                            struct pubsub_view text, bool wide) {
  uint8_t *place;
  enum pubsub_status status = pubsub_column_reserve_bytes(column, text.len, &place);
  if (status != PUBSUB_OK) return appended(row, status);
  if (text.len) memcpy(place, text.ptr, text.len);
  pubsub_column_commit_bytes(column, wide ? pubsub_java_narrow(place, text.len) : text.len);
  return DONE;
}

static enum end convert_string(struct pubsub_json_row *row, struct pubsub_column *column) {
  if (row->json.token == PUBSUB_JSON_STRING) {
    if (!pubsub_json_finish_string(&row->json)) return malformed(row);
    return append_text(row, column, row->json.text, row->json.wide);
  }
  switch (pubsub_json_copy(&row->json, row->c, &row->text)) {
  case PUBSUB_JSON_COPIED:
    return append_text(row, column, pubsub_view_of(row->text.ptr, row->text.len), false);
  case PUBSUB_JSON_MALFORMED:
    return malformed(row);
  default:
    return appended(row, PUBSUB_E_NOMEM);
  }
}

static enum end convert_binary(struct pubsub_json_row *row, struct pubsub_column *column) {
  uint8_t *place;
  size_t len = 0;
  if (row->json.token != PUBSUB_JSON_STRING) return wrong_kind(row, column);
  size_t max = row->json.incomplete ? (size_t)(row->json.end - row->json.ptr) : row->json.text.len;
  enum pubsub_status status = pubsub_column_reserve_bytes(column, max + 3, &place);
  if (status != PUBSUB_OK) return appended(row, status);
  if (!pubsub_json_base64(&row->json, place, &len)) return malformed(row);
  pubsub_column_commit_bytes(column, len);
  return DONE;
}

/* ---- nested ---- */

/* The next token; *more: it is not the end. A payload that ends after an error has none. */
static enum end next_until(struct pubsub_json_row *row, enum pubsub_json_token end, bool *more) {
  if (!pubsub_json_next(&row->json)) return malformed(row);
  *more = row->json.token != end && row->json.token != PUBSUB_JSON_NONE;
  return DONE;
}

/* A new value behind one that the same row had already: the last one counts. */
static void settle_field(struct pubsub_column *child, int32_t rows) {
  if (child->rows > rows + 1) pubsub_column_erase(child, rows, child->rows - 1);
}

/* A field that is not wanted: what it holds is looked at as far as it matters for the fields around
 * it. */
static enum end pass_field(struct pubsub_json_row *row, struct pubsub_column *shadow) {
  if (row->thorough || shadow->type->delicate) {
    enum end end = convert(row, shadow);
    pubsub_column_truncate(shadow, 0);
    return end;
  }
  if (row->json.token == PUBSUB_JSON_FIELD_NAME && !pubsub_json_next(&row->json))
    return malformed(row);
  return pubsub_json_skip_children(&row->json) ? DONE : malformed(row);
}

/* Behind a value that does not fit, whatever it is. */
static enum end behind(struct pubsub_json_row *row, enum end end) {
  if (end != MISFIT) return end;
  return pubsub_json_skip_children(&row->json) ? PARTIAL : malformed(row);
}

static enum end convert_field(struct pubsub_json_row *row, struct pubsub_column *child,
                              int32_t rows) {
  enum end end = convert(row, child);
  if (end == DONE || end == PARTIAL) settle_field(child, rows);
  return behind(row, end);
}

/* Which fields of which object: those of a nested one all have the rows that it has. */
struct fields {
  struct pubsub_column *column;
  bool root;
};

static int32_t rows_before(const struct pubsub_json_row *row, const struct fields *f, uint32_t i) {
  return f->root ? row->rows[i] : f->column->rows;
}

static bool is_wanted(const struct pubsub_json_row *row, const struct fields *f, uint32_t i) {
  return !f->root || (row->wanted[i] && (int32_t)i != row->left_out);
}

static enum end convert_named(struct pubsub_json_row *row, const struct fields *f, uint32_t *hint) {
  struct pubsub_view name = pubsub_json_name(&row->json);
  int32_t at = name.ptr ? pubsub_schema_find(f->column->type, name, *hint) : -1;
  if (at < 0 || (f->root && at == row->left_out))
    return pubsub_json_skip_children(&row->json) ? DONE : malformed(row);
  *hint = (uint32_t)at + 1;
  if (!is_wanted(row, f, (uint32_t)at))
    return behind(row, pass_field(row, &row->shadow->children[at]));
  return convert_field(row, &f->column->children[at], rows_before(row, f, (uint32_t)at));
}

static enum end fill_lacking(struct pubsub_json_row *row, const struct fields *f) {
  for (uint32_t i = 0; i < f->column->type->count; i++) {
    struct pubsub_column *child = &f->column->children[i];
    if (!is_wanted(row, f, i) || child->rows > rows_before(row, f, i)) continue;
    if (appended(row, pubsub_column_append_null(child)) != DONE) return FAILED;
  }
  return DONE;
}

static void take_back(struct pubsub_json_row *row, const struct fields *f) {
  for (uint32_t i = 0; i < f->column->type->count; i++) {
    if (is_wanted(row, f, i))
      pubsub_column_truncate(&f->column->children[i], rows_before(row, f, i));
  }
}

/* The fields of an object: one row more of each that is wanted, or none (MISFIT, FAILED). */
static enum end convert_fields(struct pubsub_json_row *row, const struct fields *f) {
  enum end end, all = DONE;
  uint32_t hint = 0;
  bool more;
  while ((end = next_until(row, PUBSUB_JSON_END_OBJECT, &more)) == DONE && more) {
    end = convert_named(row, f, &hint);
    if (end == PARTIAL) all = PARTIAL;
    if (end == MISFIT || end == FAILED) break;
  }
  if (end == DONE) end = fill_lacking(row, f);
  if (end == DONE) return all;
  take_back(row, f);
  return end;
}

static enum end convert_struct(struct pubsub_json_row *row, struct pubsub_column *column) {
  if (row->json.token != PUBSUB_JSON_START_OBJECT) return wrong_kind(row, column);
  enum end end = convert_fields(row, &(struct fields){column, false});
  if (end != DONE && end != PARTIAL) return end;
  return appended(row, pubsub_column_append_nested(column, true)) == DONE ? end : FAILED;
}

static enum end convert_array(struct pubsub_json_row *row, struct pubsub_column *column) {
  enum end end, all = DONE;
  bool more;
  if (row->json.token != PUBSUB_JSON_START_ARRAY) return wrong_kind(row, column);
  while ((end = next_until(row, PUBSUB_JSON_END_ARRAY, &more)) == DONE && more) {
    end = convert(row, &column->children[0]);
    if (end == PARTIAL) all = PARTIAL;
    if (end == MISFIT || end == FAILED) break;
  }
  if (end == DONE || end == PARTIAL) end = appended(row, pubsub_column_append_nested(column, true));
  if (end == DONE) return all;
  pubsub_column_truncate(column, column->rows);
  return end;
}

/* A value that does not fit leaves the map with more keys than values: then there is no map, once
 * all of it has been read. */
static enum end convert_map(struct pubsub_json_row *row, struct pubsub_column *column) {
  enum end end, all = DONE;
  bool more, whole = true;
  if (row->json.token != PUBSUB_JSON_START_OBJECT) return wrong_kind(row, column);
  while ((end = next_until(row, PUBSUB_JSON_END_OBJECT, &more)) == DONE && more) {
    struct pubsub_view name = pubsub_json_name(&row->json);
    end = append_text(row, &column->children[0], name, true);
    if (end == DONE) end = convert(row, &column->children[1]);
    if (end == PARTIAL) all = PARTIAL;
    if (end == MISFIT) whole = false;
    if (end == FAILED || (end == MISFIT && !pubsub_json_skip_children(&row->json))) break;
  }
  if (end == DONE && !whole) end = MISFIT;
  if (end == DONE) end = appended(row, pubsub_column_append_nested(column, true));
  if (end == DONE) return all;
  pubsub_column_truncate(column, column->rows);
  return end;
}

/* The value that the token begins, or whose name it is. */
static enum end convert(struct pubsub_json_row *row, struct pubsub_column *column) {
  if (row->json.token == PUBSUB_JSON_FIELD_NAME && !pubsub_json_next(&row->json))
    return malformed(row);
  if (row->json.token == PUBSUB_JSON_NONE || row->json.token == PUBSUB_JSON_NULL)
    return appended(row, pubsub_column_append_null(column));
  switch (column->type->type) {
  case PUBSUB_TYPE_BOOLEAN:
    return convert_boolean(row, column);
  case PUBSUB_TYPE_BYTE:
  case PUBSUB_TYPE_SHORT:
  case PUBSUB_TYPE_INT:
  case PUBSUB_TYPE_LONG:
    return convert_integer(row, column);
  case PUBSUB_TYPE_FLOAT:
  case PUBSUB_TYPE_DOUBLE:
    return convert_floating(row, column);
  case PUBSUB_TYPE_DECIMAL:
    return convert_decimal(row, column);
  case PUBSUB_TYPE_DATE:
    return convert_date(row, column);
  case PUBSUB_TYPE_TIMESTAMP:
  case PUBSUB_TYPE_TIMESTAMP_NTZ:
    return convert_timestamp(row, column);
  case PUBSUB_TYPE_BINARY:
    return convert_binary(row, column);
  case PUBSUB_TYPE_STRUCT:
    return convert_struct(row, column);
  case PUBSUB_TYPE_ARRAY:
    return convert_array(row, column);
  case PUBSUB_TYPE_MAP:
    return convert_map(row, column);
  default:
    return convert_string(row, column);
  }
}

/* ---- a payload ---- */

/* As text: what is no UTF-8 is replaced. */
static bool text_of(struct pubsub_json_row *row, struct pubsub_view payload,
                    struct pubsub_view *out) {
  *out = payload;
  if (pubsub_utf8_valid(payload.ptr, payload.len)) return true;
  row->repaired.len = 0;
  if (pubsub_buf_reserve(&row->repaired, PUBSUB_REPAIRED_BYTES(payload.len)) != PUBSUB_OK)
    return false;
  *out = pubsub_view_of(row->repaired.ptr, pubsub_java_repair(payload, row->repaired.ptr));
  return true;
}

static enum pubsub_row_end decode_text(struct pubsub_json_row *row, struct pubsub_view text,
                                       struct pubsub_column *root) {
  pubsub_json_init(&row->json, text, row->allow);
  row->why = row->expected = NULL;
  row->failure = PUBSUB_OK;
  enum end end = pubsub_json_next(&row->json) ? DONE : malformed(row);
  if (end == DONE && row->json.token == PUBSUB_JSON_NONE) return PUBSUB_ROW_EMPTY;
  if (end == DONE && row->json.token != PUBSUB_JSON_START_OBJECT)
    end = note(row, "a payload that is no object");
  if (end == DONE) end = convert_fields(row, &(struct fields){root, true});
  return end == FAILED    ? PUBSUB_ROW_FAILED
         : end == MISFIT  ? PUBSUB_ROW_MALFORMED
         : end == PARTIAL ? PUBSUB_ROW_PARTIAL
                          : PUBSUB_ROW_DECODED;
}

/* Where a payload is malformed, fields that are not wanted have a say in what becomes of the
 * others: it is decoded again, with a look into all of them. */
static enum pubsub_row_end decode_thoroughly(struct pubsub_json_row *row, struct pubsub_view text,
                                             struct pubsub_column *root) {
  take_back(row, &(struct fields){root, true});
  row->thorough = true;
  enum pubsub_row_end end = decode_text(row, text, root);
  row->thorough = false;
  return end;
}

enum pubsub_row_end pubsub_json_row_decode(struct pubsub_json_row *row, struct pubsub_view payload,
                                           struct pubsub_column *root) {
  struct pubsub_view text;
  bool all = true;
  for (uint32_t i = 0; i < root->type->count; i++) {
    row->rows[i] = root->children[i].rows;
    all = all && row->wanted[i];
  }
  if (!text_of(row, payload, &text)) {
    row->failure = PUBSUB_E_NOMEM;
    return PUBSUB_ROW_FAILED;
  }
  enum pubsub_row_end end = decode_text(row, text, root);
  bool wrong = end == PUBSUB_ROW_MALFORMED || end == PUBSUB_ROW_PARTIAL;
  return wrong && !all && !row->thorough ? decode_thoroughly(row, text, root) : end;
}

void pubsub_json_row_clear(struct pubsub_json_row *row) {
  pubsub_json_clear(&row->json);
  pubsub_buf_clear(&row->text);
  pubsub_buf_clear(&row->repaired);
}
