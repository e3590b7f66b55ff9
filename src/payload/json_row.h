/*
 * One JSON payload into a row of columns, as Spark's JacksonParser converts it: what a field takes,
 * what happens to the fields around one that does not fit, and which tokens are seen afterwards.
 *
 * A conversion has one of three ends: a value was appended; a value was appended, but a part of it
 * is null for not fitting (PARTIAL); nothing was appended (MISFIT). Where the whole row has none,
 * it is malformed, and its columns are as before.
 */
#ifndef PUBSUB_PAYLOAD_JSON_ROW_H
#define PUBSUB_PAYLOAD_JSON_ROW_H

#include "payload/column.h"
#include "payload/datetime.h"
#include "payload/json_reader.h"
#include <locale.h>

/* What became of a payload. */
enum pubsub_row_end {
  PUBSUB_ROW_DECODED,
  PUBSUB_ROW_PARTIAL,   /* malformed, but some of its fields are there */
  PUBSUB_ROW_MALFORMED, /* nothing was appended */
  PUBSUB_ROW_EMPTY,     /* white space alone: nothing was appended */
  PUBSUB_ROW_FAILED,    /* `failure` says why: NOMEM or LIMIT */
};

struct pubsub_json_row {
  struct pubsub_json json;
  struct pubsub_datetime datetime;
  locale_t c;                   /* the "C" locale; owned by whoever made the row */
  const uint8_t *wanted;        /* by field of the root: not 0: decode it; others keep their rows */
  int32_t *rows;                /* by field of the root: what it had before the payload */
  struct pubsub_column *shadow; /* of the root's type: what fields that are not wanted hold, for
                                   as long as it takes to see whether they fit */
  bool thorough;                /* look into all of those, not just where it may matter */
  int32_t left_out;             /* that field of the root is none of a payload's; -1: all are */
  uint32_t allow;               /* set of enum pubsub_payload_allow */
  enum pubsub_status failure;
  const char *why;          /* the first thing that was wrong; static */
  struct pubsub_view where; /* … in the field of this name; ptr NULL: of none */
  const char *expected;     /* … which is to be of this type; NULL: it is malformed */
  struct pubsub_buf text, repaired;
};

/* root is of type STRUCT. Appends to its wanted children alone, never to itself: one row each, or
 * none (MALFORMED, EMPTY, FAILED). */
enum pubsub_row_end pubsub_json_row_decode(struct pubsub_json_row *row, struct pubsub_view payload,
                                           struct pubsub_column *root);
void pubsub_json_row_clear(struct pubsub_json_row *row);

#endif
