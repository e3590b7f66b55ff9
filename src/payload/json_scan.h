/*
 * The characters of JSON, below json_reader: white space and comments, strings and names with their
 * escapes, base64. Each leaves the reader where Jackson would be, malformed or not, and says in
 * `why` what was wrong.
 */
#ifndef PUBSUB_PAYLOAD_JSON_SCAN_H
#define PUBSUB_PAYLOAD_JSON_SCAN_H

#include "payload/json_reader.h"

/* Instead of a character. */
#define PUBSUB_JSON_EOF (-1)
#define PUBSUB_JSON_BAD (-2)

static inline bool pubsub_json_fail(struct pubsub_json *json, const char *why) {
  json->why = why;
  return false;
}

/* The next character, a code point, and the same without taking it. There is one. */
int pubsub_json_take(struct pubsub_json *json);
int pubsub_json_peek(const struct pubsub_json *json);
/* Behind white space and comments: the next character, taken, or EOF or BAD. */
int pubsub_json_skip_space(struct pubsub_json *json);
/* A string or name up to its closing quote (" or '), which is taken, into *out. */
bool pubsub_json_quoted(struct pubsub_json *json, uint8_t quote, struct pubsub_buf *buffer,
                        struct pubsub_view *out);
/* The same, without its text. */
bool pubsub_json_pass_string(struct pubsub_json *json);
/* Behind what was no token: passes the rest of the word, as Jackson does to show it. */
void pubsub_json_pass_word(struct pubsub_json *json, size_t shown);

#endif
