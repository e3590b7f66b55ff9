/*
 * Protobuf messages as text, for tables of requests: "1=name" a string field, "5#10" a number,
 * "2{1=a 2=b}" a message; separated by blanks, "~" in a string is a blank. And back: one field of
 * an answer.
 */
#ifndef TEST_REQUEST_TEXT_H
#define TEST_REQUEST_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns the length; out is large enough for what tables hold. */
size_t request_encode(const char *text, uint8_t *out, size_t capacity);
/* The first field with this number, of a string or message: *out points into it. */
bool request_field(const uint8_t *message, size_t len, unsigned number, const uint8_t **out,
                   size_t *out_len);

#endif
