/*
 * Reads what credentials need of JSON (RFC 8259): members of an object, by name. Pure; views into
 * the text are borrowed from it. Nesting is skipped, up to a depth; a text that is no JSON has no
 * members.
 */
#ifndef PUBSUB_AUTH_JSON_H
#define PUBSUB_AUTH_JSON_H

#include "base/bytes.h"

/* The value of a member of the object `text`, as it stands there: "…", 12, {…}. False: there is
 * none, or the text is malformed before it. */
bool pubsub_json_member(struct pubsub_view text, const char *name, struct pubsub_view *out_value);
/* A member that is a string, without its escapes; replaces out's content, which is NUL-terminated
 * behind its length. Errors: GONE (no such member, or no string), NOMEM. */
enum pubsub_status pubsub_json_string(struct pubsub_view text, const char *name,
                                      struct pubsub_buf *out);
/* A member that is a whole number >= 0, also with a fraction, which is cut. False: it is none. */
bool pubsub_json_number(struct pubsub_view text, const char *name, uint64_t *out);

#endif
