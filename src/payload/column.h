/*
 * A column under construction, nested as its schema is, in Arrow's layout: a bitmap of what is not
 * null, offsets, values or bytes, children. Memory grows by doubling and stays for the next batch:
 * appending a row allocates nothing once a column has seen a batch.
 *
 * Every column can be cut back to a number of rows, and have rows in its middle taken out: a
 * payload that turns out not to fit, or names a field twice, is undone. A struct's children are
 * appended to by its caller: they all have one row more, then the struct gets its own.
 */
#ifndef PUBSUB_PAYLOAD_COLUMN_H
#define PUBSUB_PAYLOAD_COLUMN_H

#include "payload/schema.h"

struct pubsub_column {
  const struct pubsub_schema *type;
  uint32_t width;                 /* bytes of a fixed value; 0: bits, offsets or children */
  int32_t rows, nulls;            /* nulls <= rows */
  int32_t row_room;               /* rows that validity, offsets and fixed values have room for */
  size_t byte_room;               /* of data, where offsets are */
  uint8_t *validity;              /* bit: not null */
  int32_t *offsets;               /* rows + 1; NULL: the type has none */
  uint8_t *data;                  /* values, or bytes up to offsets[rows] */
  struct pubsub_column *children; /* as the type's */
};

/* Into *out, which is to be cleared in any case; type stays the caller's. Errors: NOMEM. */
enum pubsub_status pubsub_column_init(struct pubsub_column *out, const struct pubsub_schema *type);
void pubsub_column_clear(struct pubsub_column *column);

/* The verbs below that append: one row, nothing on failure. Errors: NOMEM, LIMIT (2^31 rows or
 * bytes). */

enum pubsub_status
pubsub_column_append_null(struct pubsub_column *column); /* of its children too */
/* width bytes; a BOOLEAN: one that is 0 or 1. */
enum pubsub_status pubsub_column_append_value(struct pubsub_column *column, const void *value);
/* A STRING or BINARY: place for up to `max` bytes in *out, and then how many it became. */
enum pubsub_status pubsub_column_reserve_bytes(struct pubsub_column *column, size_t max,
                                               uint8_t **out);
void pubsub_column_commit_bytes(struct pubsub_column *column, size_t len);
enum pubsub_status pubsub_column_append_bytes(struct pubsub_column *column,
                                              struct pubsub_view bytes);
/* A STRUCT, whose children have their row; an ARRAY or MAP of what its children have had appended
 * since its last row. Not `valid`: it is null all the same. */
enum pubsub_status pubsub_column_append_nested(struct pubsub_column *column, bool valid);

/* Keeps that many rows, and of its children what belongs to them. */
void pubsub_column_truncate(struct pubsub_column *column, int32_t rows);
/* Takes out rows from `from` up to `to`; costs what stands behind them. */
void pubsub_column_erase(struct pubsub_column *column, int32_t from, int32_t to);

static inline bool pubsub_column_is_valid(const struct pubsub_column *column, int32_t row) {
  return column->validity[row >> 3] >> (row & 7) & 1;
}

#endif
