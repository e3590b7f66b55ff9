#include <pubsub/payload.h>

#include "base/alloc.h"
#include "base/error.h"
#include "payload/json_row.h"

struct pubsub_payload {
  struct pubsub_schema schema;
  struct pubsub_column root, shadow;
  struct pubsub_json_row row;
  enum pubsub_payload_mode mode;
  int64_t *zone_pairs;
  struct pubsub_payload_rows batch;
  uint8_t *flags; /* two for each field: wanted now, decoded in this batch */
  int32_t *kept;  /* mode DROPMALFORMED: rows that stay; room for kept_room */
  int32_t kept_room;
  int32_t failed_row;
};

static uint8_t *wanted(const struct pubsub_payload *p) {
  return p->flags;
}
static uint8_t *decoded(const struct pubsub_payload *p) {
  return p->flags + p->schema.count;
}

static enum pubsub_status out_of_memory(struct pubsub_error *error) {
  return pubsub_error_set(error, PUBSUB_E_NOMEM, "no memory for a decoder of payloads");
}

static enum pubsub_status set_corrupt(struct pubsub_payload *p, const char *name,
                                      struct pubsub_error *error) {
  p->row.left_out = name ? pubsub_schema_find(&p->schema, pubsub_view_str(name), UINT32_MAX) : -1;
  if (p->row.left_out < 0 || p->schema.children[p->row.left_out].type == PUBSUB_TYPE_STRING)
    return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_INVALID,
                          "the field '%.100s' of corrupt records must be a STRING", name);
}

static enum pubsub_status set_up(struct pubsub_payload *p,
                                 const struct pubsub_payload_options *options,
                                 struct pubsub_error *error) {
  const struct pubsub_payload_zone *zone = &options->zone;
  size_t pairs_bytes = 2 * zone->count * sizeof *zone->pairs;
  enum pubsub_status status =
      pubsub_schema_parse(pubsub_view_str(options->schema), &p->schema, error);
  if (status == PUBSUB_OK) status = set_corrupt(p, options->corrupt_record, error);
  if (status != PUBSUB_OK) return status;
  p->row.c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  p->flags = pubsub_alloc_zero(2, (size_t)p->schema.count + 1);
  p->row.rows = pubsub_alloc_zero((size_t)p->schema.count + 1, sizeof *p->row.rows);
  p->zone_pairs = pubsub_alloc(pairs_bytes + 1);
  status = pubsub_column_init(&p->root, &p->schema);
  if (status == PUBSUB_OK) status = pubsub_column_init(&p->shadow, &p->schema);
  if (status != PUBSUB_OK || !p->row.c || !p->flags || !p->row.rows || !p->zone_pairs)
    return out_of_memory(error);
  if (pairs_bytes) memcpy(p->zone_pairs, zone->pairs, pairs_bytes);
  p->row.wanted = p->flags;
  p->row.shadow = &p->shadow;
  p->row.datetime.zone = (struct pubsub_payload_zone){
      .pairs = p->zone_pairs, .count = zone->count, .last = zone->last};
  p->row.allow = options->allow;
  p->mode = options->mode;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_payload_new(const struct pubsub_payload_options *options,
                                      struct pubsub_payload **out, struct pubsub_error *error) {
  struct pubsub_payload *p = pubsub_alloc_zero(1, sizeof *p);
  if (!p) return out_of_memory(error);
  enum pubsub_status status = set_up(p, options, error);
  if (status == PUBSUB_OK)
    *out = p;
  else
    pubsub_payload_destroy(p);
  return status;
}

void pubsub_payload_destroy(struct pubsub_payload *p) {
  if (!p) return;
  if (p->root.type) pubsub_column_clear(&p->root);
  if (p->shadow.type) pubsub_column_clear(&p->shadow);
  pubsub_schema_clear(&p->schema);
  pubsub_json_row_clear(&p->row);
  if (p->row.c) freelocale(p->row.c);
  pubsub_free(p->row.rows);
  pubsub_free(p->zone_pairs);
  pubsub_free(p->flags);
  pubsub_free(p->kept);
  pubsub_free(p);
}

void pubsub_payload_begin(struct pubsub_payload *p, const struct pubsub_payload_rows *rows) {
  p->batch = *rows;
  p->row.datetime.now_us = rows->now_us;
  memset(decoded(p), 0, p->schema.count);
  p->root.rows = p->root.nulls = 0;
  for (uint32_t i = 0; i < p->schema.count; i++)
    pubsub_column_truncate(&p->root.children[i], 0);
}

/* Which fields are to be decoded now; false: all that are asked for have been. */
static bool choose(struct pubsub_payload *p, const uint64_t *fields) {
  bool any = p->root.rows == 0;
  int32_t corrupt = p->row.left_out;
  bool all = !fields || p->mode != PUBSUB_PAYLOAD_PERMISSIVE ||
             (corrupt >= 0 && fields[corrupt / 64] >> corrupt % 64 & 1);
  p->row.thorough = all; /* what is wrong with fields of an earlier call is to be seen again */
  for (uint32_t i = 0; i < p->schema.count; i++) {
    wanted(p)[i] = !decoded(p)[i] && (all || (fields[i / 64] >> i % 64 & 1));
    any |= wanted(p)[i];
  }
  return any;
}

static struct pubsub_view payload_at(const struct pubsub_payload *p, int32_t row) {
  const int32_t *offsets = p->batch.offsets;
  return pubsub_view_of(p->batch.bytes + offsets[row], (size_t)(offsets[row + 1] - offsets[row]));
}

static struct pubsub_column *corrupt_column(struct pubsub_payload *p) {
  int32_t at = p->row.left_out;
  return at >= 0 && wanted(p)[at] ? &p->root.children[at] : NULL;
}

/* A row whose wanted fields are null, all or those that have no value yet. */
static enum pubsub_status fill_with_nulls(struct pubsub_payload *p, bool but_corrupt) {
  enum pubsub_status status = PUBSUB_OK;
  for (uint32_t i = 0; i < p->schema.count && status == PUBSUB_OK; i++) {
    if (wanted(p)[i] && !(but_corrupt && (int32_t)i == p->row.left_out))
      status = pubsub_column_append_null(&p->root.children[i]);
  }
  return status;
}

static enum pubsub_status fail_fast(const struct pubsub_payload *p, struct pubsub_error *error) {
  const struct pubsub_json_row *row = &p->row;
  int name_len = row->where.len > 60 ? 60 : (int)row->where.len;
  if (!row->where.ptr)
    return pubsub_error_set(error, PUBSUB_E_INVALID, "it is malformed: %s", row->why);
  return pubsub_error_set(error, PUBSUB_E_INVALID, "at its field '%.*s': %s%s%s", name_len,
                          (const char *)row->where.ptr, row->why,
                          row->expected ? ", where the schema has a " : "",
                          row->expected ? row->expected : "");
}

/* One payload's row. *keep: it has one. */
static enum pubsub_status take_row(struct pubsub_payload *p, int32_t at, bool *keep,
                                   struct pubsub_error *error) {
  struct pubsub_view payload = payload_at(p, at);
  enum pubsub_row_end end = pubsub_json_row_decode(&p->row, payload, &p->root);
  struct pubsub_column *corrupt = corrupt_column(p);
  enum pubsub_status status = PUBSUB_OK;
  bool bad = end == PUBSUB_ROW_MALFORMED || end == PUBSUB_ROW_PARTIAL;
  *keep = !bad || p->mode == PUBSUB_PAYLOAD_PERMISSIVE;
  if (end == PUBSUB_ROW_FAILED) return p->row.failure;
  if (bad && p->mode == PUBSUB_PAYLOAD_FAILFAST) return fail_fast(p, error);
  if (!*keep) {
    for (uint32_t i = 0; i < p->schema.count; i++)
      pubsub_column_truncate(&p->root.children[i], p->row.rows[i]);
    return PUBSUB_OK;
  }
  if (end == PUBSUB_ROW_EMPTY || end == PUBSUB_ROW_MALFORMED) status = fill_with_nulls(p, true);
  if (corrupt && status == PUBSUB_OK)
    status =
        bad ? pubsub_column_append_bytes(corrupt, payload) : pubsub_column_append_null(corrupt);
  if (p->root.rows > at && status == PUBSUB_OK) return PUBSUB_OK; /* of an earlier call */
  return status == PUBSUB_OK ? pubsub_column_append_nested(&p->root, end != PUBSUB_ROW_EMPTY)
                             : status;
}

static enum pubsub_status make_room(struct pubsub_payload *p) {
  if (p->mode != PUBSUB_PAYLOAD_DROPMALFORMED || p->kept_room > p->batch.count) return PUBSUB_OK;
  int32_t *more = pubsub_realloc(p->kept, ((size_t)p->batch.count + 1) * sizeof *more);
  if (!more) return PUBSUB_E_NOMEM;
  p->kept = more;
  p->kept_room = p->batch.count + 1;
  return PUBSUB_OK;
}

/* Nothing of this call stays. */
static enum pubsub_status give_up(struct pubsub_payload *p, enum pubsub_status status, bool first,
                                  struct pubsub_error *error) {
  for (uint32_t i = 0; i < p->schema.count; i++) {
    if (wanted(p)[i]) pubsub_column_truncate(&p->root.children[i], 0);
  }
  if (first) p->root.rows = p->root.nulls = 0;
  if (status == PUBSUB_E_LIMIT)
    return pubsub_error_set(error, status,
                            "a column of the payloads takes more than 2 GiB: fewer "
                            "or smaller messages are to be read at once");
  return status == PUBSUB_E_NOMEM ? out_of_memory(error) : status;
}

enum pubsub_status pubsub_payload_decode(struct pubsub_payload *p, const uint64_t *fields,
                                         struct pubsub_error *error) {
  bool first = p->root.rows == 0;
  int32_t kept = 0;
  if (!choose(p, fields)) return PUBSUB_OK;
  enum pubsub_status status = make_room(p);
  for (int32_t row = 0; row < p->batch.count && status == PUBSUB_OK; row++) {
    bool keep = false;
    p->failed_row = row;
    status = take_row(p, row, &keep, error);
    if (keep && p->kept) p->kept[kept++] = row;
  }
  if (status != PUBSUB_OK) return give_up(p, status, first, error);
  for (uint32_t i = 0; i < p->schema.count; i++)
    decoded(p)[i] |= wanted(p)[i];
  return PUBSUB_OK;
}

int32_t pubsub_payload_failed_row(const struct pubsub_payload *p) {
  return p->failed_row;
}

size_t pubsub_payload_column_count(const struct pubsub_payload *p) {
  return pubsub_schema_nodes(&p->schema);
}

static struct pubsub_payload_column *describe(const struct pubsub_column *column,
                                              struct pubsub_payload_column *out) {
  *out++ = (struct pubsub_payload_column){.rows = column->rows,
                                          .nulls = column->nulls,
                                          .validity = (uintptr_t)column->validity,
                                          .offsets = (uintptr_t)column->offsets,
                                          .data = (uintptr_t)column->data};
  for (uint32_t i = 0; i < column->type->count; i++)
    out = describe(&column->children[i], out);
  return out;
}

void pubsub_payload_columns(const struct pubsub_payload *p, struct pubsub_payload_column *out) {
  describe(&p->root, out);
}

const int32_t *pubsub_payload_kept(const struct pubsub_payload *p) {
  return p->mode == PUBSUB_PAYLOAD_DROPMALFORMED ? p->kept : NULL;
}
