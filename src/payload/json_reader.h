/*
 * JSON, token by token: a pull parser over one payload that behaves as Jackson's does, also after
 * an error. Spark keeps what it has when a part of a payload is malformed and goes on from wherever
 * Jackson stands, so where the reader stands, and which token it shows, after each kind of error is
 * part of its answers.
 *
 *   next ──▶ FIELD_NAME (its value is scanned already) ── next ──▶ the value ── next ──▶ …
 *     └── false: malformed. `token` is still the last one; whoever calls next again goes on behind.
 *
 * Strings are scanned when they are asked for, or when they are passed. Nothing recurses: nesting
 * is a stack, no deeper than Jackson's limit. Text is borrowed from the payload where it has no
 * escapes, else from a buffer that lives until the next init. The payload must be valid UTF-8.
 */
#ifndef PUBSUB_PAYLOAD_JSON_READER_H
#define PUBSUB_PAYLOAD_JSON_READER_H

#include "base/bytes.h"
#include <pubsub/payload.h>

enum pubsub_json_token {
  PUBSUB_JSON_NONE, /* before the first, and after the last */
  PUBSUB_JSON_START_OBJECT,
  PUBSUB_JSON_END_OBJECT,
  PUBSUB_JSON_START_ARRAY,
  PUBSUB_JSON_END_ARRAY,
  PUBSUB_JSON_FIELD_NAME,
  PUBSUB_JSON_STRING,
  PUBSUB_JSON_INT,
  PUBSUB_JSON_FLOAT,
  PUBSUB_JSON_TRUE,
  PUBSUB_JSON_FALSE,
  PUBSUB_JSON_NULL,
};

/* Of Jackson: nesting, and digits of a number. */
#define PUBSUB_JSON_DEPTH 1000
#define PUBSUB_JSON_DIGITS 1000

struct pubsub_json_level {
  struct pubsub_view name; /* of the field that was read last; ptr NULL: none yet */
  bool object, started;    /* started: the next value stands behind a comma */
};

struct pubsub_json {
  const uint8_t *ptr, *end;
  enum pubsub_json_token token, next; /* next: of the FIELD_NAME that is the token */
  bool incomplete;                    /* a string whose end has not been looked for */
  bool negative;                      /* the number; its text has no sign */
  bool not_finite;                    /* NaN, Infinity …: text is how Jackson calls it */
  bool wide;                          /* the string has a lone half of a surrogate pair */
  uint32_t allow;                     /* set of enum pubsub_payload_allow */
  uint32_t depth;                     /* of levels; 0: outside everything */
  struct pubsub_view text;            /* of the string or number */
  const char *why;                    /* what was wrong last; static */
  size_t payload_len;
  struct pubsub_buf scratch, names; /* unescaped text; room for all of the payload, or none */
  bool out_of_memory;               /* next and text have failed for that */
  struct pubsub_json_level levels[PUBSUB_JSON_DEPTH + 3];
};

/* A new payload; the buffers stay. `json` is zero-initialised before the first. */
void pubsub_json_init(struct pubsub_json *json, struct pubsub_view payload, uint32_t allow);
void pubsub_json_clear(struct pubsub_json *json);
/* The next token. False: malformed. */
bool pubsub_json_next(struct pubsub_json *json);
/* The token is a STRING: its text is in `text` from now on. False: malformed. */
bool pubsub_json_finish_string(struct pubsub_json *json);
/* The token is a STRING: base64 into out (room for all of the payload). False: malformed. */
bool pubsub_json_base64(struct pubsub_json *json, uint8_t *out, size_t *out_len);
/* Where an object or array starts, passes all of it; else does nothing. False: malformed. */
bool pubsub_json_skip_children(struct pubsub_json *json);
/* Of the field that the token belongs to. ptr NULL: none. */
struct pubsub_view pubsub_json_name(const struct pubsub_json *json);

#endif
