/*
 * Payloads decoded into Arrow columns: a schema in SQL's words, many payloads of one batch, nested
 * columns whose memory is used again for the next batch. The answers are those of Spark's
 * from_json, value for value; docs/payloads.md says what differs.
 *
 * Threads: a decoder belongs to one thread at a time. Nothing here blocks or calls back, and no
 * payload, however it is made, costs more than time and memory in proportion to its length.
 */
#ifndef PUBSUB_PAYLOAD_H
#define PUBSUB_PAYLOAD_H

#include <pubsub/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pubsub_payload;

/* What happens with a payload that does not fit. */
enum pubsub_payload_mode {
  PUBSUB_PAYLOAD_PERMISSIVE,    /* what does not fit is null */
  PUBSUB_PAYLOAD_FAILFAST,      /* the first one fails the decoding of its batch */
  PUBSUB_PAYLOAD_DROPMALFORMED, /* its row is left out */
};

/* What JSON is allowed to be beyond RFC 8259, as bits of a set. */
enum pubsub_payload_allow {
  PUBSUB_ALLOW_COMMENTS = 1 << 0,            /* as in C */
  PUBSUB_ALLOW_UNQUOTED_NAMES = 1 << 1,      /* {a: 1} */
  PUBSUB_ALLOW_SINGLE_QUOTES = 1 << 2,       /* {'a': 'b'} */
  PUBSUB_ALLOW_LEADING_ZEROS = 1 << 3,       /* 007 */
  PUBSUB_ALLOW_NON_NUMERIC_NUMBERS = 1 << 4, /* NaN, Infinity, -INF … */
  PUBSUB_ALLOW_BACKSLASH_ANY = 1 << 5,       /* "\x" is x */
  PUBSUB_ALLOW_CONTROL_CHARS = 1 << 6,       /* in strings, as they are */
};
/* What Spark's reader allows where nothing is said. */
#define PUBSUB_ALLOW_DEFAULT (PUBSUB_ALLOW_SINGLE_QUOTES | PUBSUB_ALLOW_NON_NUMERIC_NUMBERS)

/* Where the local time of a zone changes: `count` pairs of (local second since 1970, offset in
 * seconds that is in force before it), ascending; `last` is in force after all. */
struct pubsub_payload_zone {
  /* NULL where count is 0 */
  const int64_t *pairs;
  /* of pairs */
  size_t count;
  /* seconds east of UTC */
  int32_t last;
};

/* How payloads are decoded. Zero-initialise, then set; all of it is copied. */
struct pubsub_payload_options {
  /* The fields of a payload, as SQL writes them: "id BIGINT, tags ARRAY<STRING>, …". Names may
   * stand in backquotes. */
  const char *schema;
  /* What becomes of payloads that do not fit. */
  enum pubsub_payload_mode mode;
  /* Set of enum pubsub_payload_allow. */
  uint32_t allow;
  /* A STRING field of the schema that gets each payload which does not fit; NULL: none. */
  const char *corrupt_record;
  /* Of timestamps that name no zone. */
  struct pubsub_payload_zone zone;
};

/* The caller's to destroy. Errors: INVALID (the text says where the schema ends to make sense, or
 * which type is not supported), NOMEM. */
PUBSUB_API enum pubsub_status pubsub_payload_new(const struct pubsub_payload_options *options,
                                                 struct pubsub_payload **out,
                                                 struct pubsub_error *error);
PUBSUB_API void pubsub_payload_destroy(struct pubsub_payload *payload); /* NULL is allowed */

/* The payloads of a batch: row i is bytes[offsets[i] .. offsets[i + 1]). Borrowed until the next
 * begin. */
struct pubsub_payload_rows {
  /* count + 1 of them, ascending, in bytes */
  const int32_t *offsets;
  /* of all rows, one after the other */
  const uint8_t *bytes;
  /* rows */
  int32_t count;
  /* µs since 1970: today's date for times that have none */
  int64_t now_us;
};

/* The next batch: its columns are empty, what the former one had is overwritten. */
PUBSUB_API void pubsub_payload_begin(struct pubsub_payload *payload,
                                     const struct pubsub_payload_rows *rows);

/* Decodes those fields of the batch that `fields` names (bit i % 64 of fields[i / 64] is field i of
 * the schema; NULL: all) into columns; what other calls since begin have decoded stays. Modes other
 * than PERMISSIVE, and the field of corrupt records, take all fields. Errors: INVALID in mode
 * FAILFAST, with the reason; LIMIT where a column takes more than 2 GiB; NOMEM. */
PUBSUB_API enum pubsub_status pubsub_payload_decode(struct pubsub_payload *payload,
                                                    const uint64_t *fields,
                                                    struct pubsub_error *error);
/* The row at which the last call of decode has failed. */
PUBSUB_API int32_t pubsub_payload_failed_row(const struct pubsub_payload *payload);

/* One column: Arrow's buffers by address. Booleans and validity are bits, decimals 16 bytes,
 * offsets int32. */
struct pubsub_payload_column {
  /* of the batch; of a child: elements */
  int32_t rows;
  /* how many of them are null */
  int32_t nulls;
  /* bit: not null */
  uint64_t validity;
  /* of STRING, BINARY, ARRAY and MAP: rows + 1 */
  uint64_t offsets;
  /* values, or the bytes of STRING and BINARY */
  uint64_t data;
};

/* Columns of the tree, the payload itself among them: how many, and each in the order in which the
 * schema names them, a column before its children (an ARRAY has one, a MAP key and value). Valid
 * until begin or destroy; a field that was not decoded has no rows. */
PUBSUB_API size_t pubsub_payload_column_count(const struct pubsub_payload *payload);
PUBSUB_API void pubsub_payload_columns(const struct pubsub_payload *payload,
                                       struct pubsub_payload_column *out);

/* Mode DROPMALFORMED: the rows of the batch that stay, ascending, as many as the payload's column
 * has; NULL: all do. */
PUBSUB_API const int32_t *pubsub_payload_kept(const struct pubsub_payload *payload);

#ifdef __cplusplus
}
#endif
#endif
