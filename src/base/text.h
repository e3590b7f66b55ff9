/*
 * Text as URLs, headers and configuration write it: copies, hexadecimal digits, percent-encoding
 * (RFC 3986) and base64 (RFC 4648). Pure, but for the copy.
 *
 * Every function that fills a caller's array is told its size, and says how much of it is used.
 * What is too long is refused, never cut; where cutting is meant, the name says so.
 */
#ifndef PUBSUB_BASE_TEXT_H
#define PUBSUB_BASE_TEXT_H

#include "base/bytes.h"

/* The caller's to pubsub_free; NULL: no memory. */
char *pubsub_text_copy(const char *text);
/* Whether all of it may stand in a header's value: printable ASCII and spaces, none at the ends. */
bool pubsub_text_is_header_value(const char *text);

/* Everything but RFC 3986's unreserved characters as %XX. Returns the length; out: 3 * in.len. */
size_t pubsub_percent_encode(struct pubsub_view in, char *out);
/* False: a % without two digits, or more than out_bytes. */
bool pubsub_percent_decode(struct pubsub_view in, uint8_t *out, size_t out_bytes, size_t *out_len);
/* For people to read: what is malformed stays as it is, NUL becomes a space, what is too long is
 * cut. */
void pubsub_percent_decode_cut(struct pubsub_view in, char *out, size_t out_bytes);

/* Characters of the base64 of so many bytes, padded, without a NUL. */
#define PUBSUB_BASE64_CHARS(bytes) (((size_t)(bytes) + 2) / 3 * 4)
/* Padded unless `pad` is false, and ended by a NUL. False: more than out_bytes (out is ""). */
bool pubsub_base64_encode(struct pubsub_view in, bool pad, char *out, size_t out_bytes);
/* Both alphabets, with or without padding; ends at the first other character. Replaces out's
 * content. Errors: NOMEM. */
enum pubsub_status pubsub_base64_decode(struct pubsub_view in, struct pubsub_buf *out);

#endif
