/*
 * Text as the JVM treats it, where that shows in an answer: how it replaces bytes that are no
 * UTF-8, which characters it takes for parts of a name, how it prints a double.
 *
 * "Wide" UTF-8 is what strings are decoded into: it may hold a lone half of a surrogate pair (from
 * an escape such as \ud800) as three bytes. The JVM's strings can; what leaves here cannot.
 */
#ifndef PUBSUB_PAYLOAD_JAVA_TEXT_H
#define PUBSUB_PAYLOAD_JAVA_TEXT_H

#include "base/bytes.h"

/* Bytes of repaired text, at most. */
#define PUBSUB_REPAIRED_BYTES(len) (3 * (len))

/* Writes UTF-8 with U+FFFD for what is malformed, as Java's decoder does; returns the length. */
size_t pubsub_java_repair(struct pubsub_view in, uint8_t *out);
/* Lone halves of surrogate pairs become '?', in place; returns the new length. */
size_t pubsub_java_narrow(uint8_t *text, size_t len);
/* May a character (a code point) stand in a Java identifier, may it begin one? Beyond ASCII: what
 * is neither Latin-1's nor general punctuation, nor outside the BMP, is taken for a letter. */
bool pubsub_java_is_identifier_part(int c);
bool pubsub_java_is_identifier_start(int c);
/* Double.toString, without a NUL; returns the length. */
#define PUBSUB_JAVA_DOUBLE_CHARS 32
size_t pubsub_java_double(double value, char out[PUBSUB_JAVA_DOUBLE_CHARS]);

#endif
