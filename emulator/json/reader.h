/*
 * Reads JSON (RFC 8259) from a text, value by value, as its caller asks: no tree is built. The
 * first thing that is wrong is told with its line and column, and every call after it fails. Pure.
 *
 *   json_enter('{') … while (json_more('}')) { json_key; a value }
 *   json_enter('[') … while (json_more(']')) a value
 */
#ifndef EMULATOR_JSON_READER_H
#define EMULATOR_JSON_READER_H

#include "base/bytes.h"

enum json_kind {
  JSON_OBJECT,
  JSON_ARRAY,
  JSON_STRING,
  JSON_NUMBER,
  JSON_BOOL,
  JSON_NULL,
  JSON_BAD
};

struct json {
  const uint8_t *begin, *at, *end;
  struct pubsub_error *error; /* the caller's; may be NULL */
  bool failed, first;         /* first: of the object or array that was entered last */
  int depth;
};

void json_init(struct json *json, struct pubsub_view text, struct pubsub_error *error);
/* What comes next. JSON_BAD: nothing that a value begins with. */
enum json_kind json_peek(struct json *json);
bool json_enter(struct json *json, char open);
/* Whether there is another member or element; past the closing bracket where not, and where
 * something is wrong. */
bool json_more(struct json *json, char close);
/* A string, replaced into `out` and ended by a NUL that out->len does not count. No NUL in it,
 * valid UTF-8. */
bool json_string(struct json *json, struct pubsub_buf *out);
/* A string and the colon after it. */
bool json_key(struct json *json, struct pubsub_buf *out);
bool json_number(struct json *json, struct pubsub_view *out); /* its text, borrowed */
bool json_bool(struct json *json, bool *out);
bool json_null(struct json *json);
/* Nothing but blanks is left. */
bool json_end(struct json *json);
/* Something is wrong here. Always false. */
bool json_fail(struct json *json, const char *format, ...) PUBSUB_PRINTF(2, 3);

#endif
