/* Decoded payloads as text, for tests: what a row of the columns holds. */
#ifndef TEST_PAYLOAD_TEXT_H
#define TEST_PAYLOAD_TEXT_H

#include <pubsub/payload.h>
#include <stddef.h>

/* A batch of one payload, all fields, mode PERMISSIVE, corrupt records in the field `_c` where
 * there is one; into out: {a=1 b="x" c=[1 2] m={"k"=5} n=null}, or null. Bytes as hexadecimal
 * digits, decimals unscaled. */
void payload_text(const char *schema, const void *payload, size_t len, char *out, size_t out_bytes);
/* The row of a payload that has been decoded with that schema. */
void payload_row_text(const char *schema, const struct pubsub_payload *payload, int32_t row,
                      char *out, size_t out_bytes);

#endif
