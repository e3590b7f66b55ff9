#include "payload/column.h"

#include "base/alloc.h"

#define FIRST_ROWS 1024

static uint32_t width_of(const struct pubsub_schema *type) {
  switch (type->type) {
  case PUBSUB_TYPE_BYTE:
    return 1;
  case PUBSUB_TYPE_SHORT:
    return 2;
  case PUBSUB_TYPE_INT:
  case PUBSUB_TYPE_FLOAT:
  case PUBSUB_TYPE_DATE:
    return 4;
  case PUBSUB_TYPE_LONG:
  case PUBSUB_TYPE_DOUBLE:
  case PUBSUB_TYPE_TIMESTAMP:
  case PUBSUB_TYPE_TIMESTAMP_NTZ:
    return 8;
  case PUBSUB_TYPE_DECIMAL:
    return 16;
  default:
    return 0;
  }
}

static bool has_offsets(const struct pubsub_column *column) {
  enum pubsub_type type = column->type->type;
  return type == PUBSUB_TYPE_STRING || type == PUBSUB_TYPE_BINARY || type == PUBSUB_TYPE_ARRAY ||
         type == PUBSUB_TYPE_MAP;
}

static bool is_list(const struct pubsub_column *column) {
  return column->type->type == PUBSUB_TYPE_ARRAY || column->type->type == PUBSUB_TYPE_MAP;
}

enum pubsub_status pubsub_column_init(struct pubsub_column *out, const struct pubsub_schema *type) {
  *out = (struct pubsub_column){.type = type, .width = width_of(type)};
  if (has_offsets(out)) {
    out->offsets = pubsub_alloc_zero(1, sizeof *out->offsets);
    if (!out->offsets) return PUBSUB_E_NOMEM;
  }
  if (type->count == 0) return PUBSUB_OK;
  out->children = pubsub_alloc_zero(type->count, sizeof *out->children);
  if (!out->children) return PUBSUB_E_NOMEM;
  for (uint32_t i = 0; i < type->count; i++)
    out->children[i].type = &type->children[i];
  for (uint32_t i = 0; i < type->count; i++) {
    enum pubsub_status status = pubsub_column_init(&out->children[i], &type->children[i]);
    if (status != PUBSUB_OK) return status;
  }
  return PUBSUB_OK;
}

void pubsub_column_clear(struct pubsub_column *column) {
  for (uint32_t i = 0; column->children && i < column->type->count; i++)
    pubsub_column_clear(&column->children[i]);
  pubsub_free(column->children);
  pubsub_free(column->validity);
  pubsub_free(column->offsets);
  pubsub_free(column->data);
  memset(column, 0, sizeof *column);
}

/* Bytes of data that so many rows take; those of STRING and BINARY are counted apart. */
static size_t fixed_bytes(const struct pubsub_column *column, size_t rows) {
  return column->type->type == PUBSUB_TYPE_BOOLEAN ? (rows + 7) / 8 : rows * column->width;
}

static bool grow(void **block, size_t bytes) {
  void *more = bytes ? pubsub_realloc(*block, bytes) : *block;
  if (bytes && !more) return false;
  *block = more;
  return true;
}

static enum pubsub_status more_rows(struct pubsub_column *column) {
  if (column->row_room > INT32_MAX / 2) return PUBSUB_E_LIMIT;
  size_t rows = column->row_room ? 2 * (size_t)column->row_room : FIRST_ROWS;
  void *validity = column->validity, *offsets = column->offsets, *data = column->data;
  bool done = grow(&validity, (rows + 63) / 64 * 8);
  column->validity = validity;
  if (done && has_offsets(column)) done = grow(&offsets, (rows + 1) * sizeof *column->offsets);
  column->offsets = offsets;
  if (done && !has_offsets(column)) done = grow(&data, fixed_bytes(column, rows));
  column->data = data;
  if (!done) return PUBSUB_E_NOMEM;
  column->row_room = (int32_t)rows;
  return PUBSUB_OK;
}

static inline enum pubsub_status reserve_row(struct pubsub_column *column) {
  return column->rows < column->row_room ? PUBSUB_OK : more_rows(column);
}

static inline void set_bit(uint8_t *bits, int32_t at, bool value) {
  bits[at >> 3] = (uint8_t)((bits[at >> 3] & ~(1u << (at & 7))) | (unsigned)value << (at & 7));
}

static inline bool get_bit(const uint8_t *bits, int32_t at) {
  return bits[at >> 3] >> (at & 7) & 1;
}

static inline void finish_row(struct pubsub_column *column, bool valid) {
  set_bit(column->validity, column->rows, valid);
  column->nulls += !valid;
  column->rows++;
}

enum pubsub_status pubsub_column_append_null(struct pubsub_column *column) {
  enum pubsub_status status = reserve_row(column);
  uint32_t i = 0;
  if (status != PUBSUB_OK) return status;
  if (column->type->type == PUBSUB_TYPE_STRUCT) {
    for (; i < column->type->count && status == PUBSUB_OK; i++)
      status = pubsub_column_append_null(&column->children[i]);
  }
  if (status != PUBSUB_OK) {
    pubsub_column_truncate(column, column->rows);
    return status;
  }
  if (column->offsets) column->offsets[column->rows + 1] = column->offsets[column->rows];
  if (column->width)
    memset(column->data + (size_t)column->rows * column->width, 0, column->width);
  else if (column->type->type == PUBSUB_TYPE_BOOLEAN)
    set_bit(column->data, column->rows, false);
  finish_row(column, false);
  return PUBSUB_OK;
}

enum pubsub_status pubsub_column_append_value(struct pubsub_column *column, const void *value) {
  enum pubsub_status status = reserve_row(column);
  if (status != PUBSUB_OK) return status;
  uint8_t *place = column->data + (size_t)column->rows * column->width;
  switch (column->width) { /* constants: the compiler makes a store of each */
  case 8:
    memcpy(place, value, 8);
    break;
  case 4:
    memcpy(place, value, 4);
    break;
  case 0:
    set_bit(column->data, column->rows, *(const uint8_t *)value);
    break;
  default:
    memcpy(place, value, column->width);
  }
  finish_row(column, true);
  return PUBSUB_OK;
}

enum pubsub_status pubsub_column_reserve_bytes(struct pubsub_column *column, size_t max,
                                               uint8_t **out) {
  enum pubsub_status status = reserve_row(column);
  if (status != PUBSUB_OK) return status;
  size_t used = (size_t)column->offsets[column->rows];
  if (max > INT32_MAX - used) return PUBSUB_E_LIMIT;
  if (max > column->byte_room - used) {
    size_t room = column->byte_room ? 2 * column->byte_room : 16 * FIRST_ROWS;
    void *data = column->data;
    if (room < used + max) room = used + max;
    if (!grow(&data, room)) return PUBSUB_E_NOMEM;
    column->data = data;
    column->byte_room = room;
  }
  *out = column->data + used;
  return PUBSUB_OK;
}

void pubsub_column_commit_bytes(struct pubsub_column *column, size_t len) {
  column->offsets[column->rows + 1] = column->offsets[column->rows] + (int32_t)len;
  finish_row(column, true);
}

enum pubsub_status pubsub_column_append_bytes(struct pubsub_column *column,
                                              struct pubsub_view bytes) {
  uint8_t *place;
  enum pubsub_status status = pubsub_column_reserve_bytes(column, bytes.len, &place);
  if (status != PUBSUB_OK) return status;
  if (bytes.len) memcpy(place, bytes.ptr, bytes.len);
  pubsub_column_commit_bytes(column, bytes.len);
  return PUBSUB_OK;
}

enum pubsub_status pubsub_column_append_nested(struct pubsub_column *column, bool valid) {
  enum pubsub_status status = reserve_row(column);
  if (status != PUBSUB_OK) return status;
  if (column->offsets) column->offsets[column->rows + 1] = column->children[0].rows;
  finish_row(column, valid);
  return PUBSUB_OK;
}

void pubsub_column_truncate(struct pubsub_column *column, int32_t rows) {
  for (int32_t row = rows; column->nulls > 0 && row < column->rows; row++)
    column->nulls -= !get_bit(column->validity, row);
  if (rows < column->rows) column->rows = rows;
  for (uint32_t i = 0; i < column->type->count; i++)
    pubsub_column_truncate(&column->children[i], column->offsets ? column->offsets[rows] : rows);
}

static void shift_bits(uint8_t *bits, int32_t from, int32_t to, int32_t end) {
  for (; to < end; from++, to++)
    set_bit(bits, from, get_bit(bits, to));
}

static void erase_values(struct pubsub_column *column, int32_t from, int32_t to) {
  size_t left = (size_t)(column->rows - to);
  if (column->width) {
    memmove(column->data + (size_t)from * column->width, column->data + (size_t)to * column->width,
            left * column->width);
  } else if (column->type->type == PUBSUB_TYPE_BOOLEAN) {
    shift_bits(column->data, from, to, column->rows);
  } else if (column->type->type == PUBSUB_TYPE_STRUCT) {
    for (uint32_t i = 0; i < column->type->count; i++)
      pubsub_column_erase(&column->children[i], from, to);
  }
}

static void erase_lists(struct pubsub_column *column, int32_t from, int32_t to) {
  int32_t begin = column->offsets[from], end = column->offsets[to];
  if (is_list(column)) {
    for (uint32_t i = 0; i < column->type->count; i++)
      pubsub_column_erase(&column->children[i], begin, end);
  } else if (end > begin) {
    memmove(column->data + begin, column->data + end,
            (size_t)(column->offsets[column->rows] - end));
  }
  for (int32_t row = to; row <= column->rows; row++)
    column->offsets[from + row - to] = column->offsets[row] - (end - begin);
}

void pubsub_column_erase(struct pubsub_column *column, int32_t from, int32_t to) {
  if (from == to) return;
  for (int32_t row = from; row < to; row++)
    column->nulls -= !get_bit(column->validity, row);
  if (column->offsets)
    erase_lists(column, from, to);
  else
    erase_values(column, from, to);
  shift_bits(column->validity, from, to, column->rows);
  column->rows -= to - from;
}
