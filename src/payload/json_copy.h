/*
 * A value that is not a string, where the schema wants one: its JSON, written anew as Jackson does
 * (numbers in their shortest form, no white space, surrogate pairs escaped).
 */
#ifndef PUBSUB_PAYLOAD_JSON_COPY_H
#define PUBSUB_PAYLOAD_JSON_COPY_H

#include "payload/json_reader.h"
#include <locale.h>

/* What became of it. */
enum pubsub_json_copied {
  PUBSUB_JSON_COPIED,
  PUBSUB_JSON_MALFORMED, /* within it */
  PUBSUB_JSON_NO_MEMORY,
};

/* Replaces out's content with the JSON of the value that the token begins; the token is then its
 * last. `c` is the "C" locale. */
enum pubsub_json_copied pubsub_json_copy(struct pubsub_json *json, locale_t c,
                                         struct pubsub_buf *out);

#endif
