#include "request_text.h"

#include <stdlib.h>
#include <string.h>

struct writer {
  uint8_t *out;
  size_t len, capacity;
};

static void put(struct writer *writer, uint8_t byte) {
  if (writer->len < writer->capacity) writer->out[writer->len++] = byte;
}

static void put_varint(struct writer *writer, uint64_t value) {
  for (; value >= 128; value >>= 7)
    put(writer, (uint8_t)(value | 128));
  put(writer, (uint8_t)value);
}

static void put_bytes(struct writer *writer, const uint8_t *bytes, size_t len) {
  put_varint(writer, len);
  for (size_t i = 0; i < len; i++)
    put(writer, bytes[i] == '~' ? ' ' : bytes[i]);
}

static const char *encode(const char *text, struct writer *writer);

static const char *encode_message(const char *text, struct writer *writer) {
  uint8_t bytes[2048];
  struct writer inner = {bytes, 0, sizeof bytes};
  const char *end = encode(text, &inner);
  put_varint(writer, inner.len);
  for (size_t i = 0; i < inner.len; i++)
    put(writer, bytes[i]);
  return *end == '}' ? end + 1 : end;
}

/* Up to the end, or the brace that ends this message. */
static const char *encode(const char *text, struct writer *writer) {
  while (*text && *text != '}') {
    char *after;
    unsigned long number = strtoul(text, &after, 10);
    put_varint(writer, number << 3 | (*after == '#' ? 0 : 2));
    text = after + 1;
    if (*after == '#') {
      put_varint(writer, strtoull(text, &after, 10));
      text = after;
    } else if (*after == '{') {
      text = encode_message(text, writer);
    } else {
      size_t len = strcspn(text, " }");
      put_bytes(writer, (const uint8_t *)text, len);
      text += len;
    }
    text += strspn(text, " ");
  }
  return text;
}

size_t request_encode(const char *text, uint8_t *out, size_t capacity) {
  struct writer writer = {out, 0, capacity};
  encode(text, &writer);
  return writer.len;
}

static uint64_t read_varint(const uint8_t **at, const uint8_t *end) {
  uint64_t value = 0;
  for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
    uint8_t byte = *(*at)++;
    value |= (uint64_t)(byte & 127) << shift;
    if (byte < 128) break;
  }
  return value;
}

bool request_field(const uint8_t *message, size_t len, unsigned number, const uint8_t **out,
                   size_t *out_len) {
  const uint8_t *at = message, *end = message + len;
  while (at < end) {
    uint64_t tag = read_varint(&at, end), value = read_varint(&at, end);
    if ((tag & 7) == 0) continue;
    if ((tag & 7) != 2 || value > (size_t)(end - at)) return false;
    if (tag >> 3 == number) {
      *out = at;
      *out_len = value;
      return true;
    }
    at += value;
  }
  return false;
}
