/*
 * The protobuf wire format by hand: the two hot paths (received messages, publish requests),
 * requests and answers that are a few fields, and what a message of a later version may add.
 * Everything else uses the generated code. Bounds are checked before a byte is read; varints longer
 * than 10 bytes are errors.
 */
#ifndef PUBSUB_PROTO_WIRE_H
#define PUBSUB_PROTO_WIRE_H

#include "base/bytes.h"

enum pubsub_wire_type {
  PUBSUB_WIRE_VARINT = 0,
  PUBSUB_WIRE_I64 = 1,
  PUBSUB_WIRE_LEN = 2,
  PUBSUB_WIRE_I32 = 5
};

/* Bytes of a varint: 1..10. */
static inline size_t pubsub_varint_bytes(uint64_t value) {
  return (size_t)((63 - __builtin_clzll(value | 1)) / 7 + 1);
}
static inline uint8_t *pubsub_varint_write(uint8_t *out, uint64_t value) {
  while (value >= 0x80) {
    *out++ = (uint8_t)(value | 0x80);
    value >>= 7;
  }
  *out++ = (uint8_t)value;
  return out;
}
/* Reads from [ptr, end); returns the byte after it, NULL when cut or malformed. */
static inline const uint8_t *pubsub_varint_read(const uint8_t *ptr, const uint8_t *end,
                                                uint64_t *out) {
  if (ptr < end && *ptr < 0x80) {
    *out = *ptr;
    return ptr + 1;
  }
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 70 && ptr < end; shift += 7) {
    uint8_t byte = *ptr++;
    if (shift == 63 && byte > 1) return NULL;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) {
      *out = value;
      return ptr;
    }
  }
  return NULL;
}

/* Fields to write, numbered 1..15, so that `tag` (number << 3 | enum pubsub_wire_type) is one byte.
 * The caller has made room: what the two functions of sizes say. Each returns the byte after it. */
static inline size_t pubsub_wire_number_bytes(uint64_t value) {
  return 1 + pubsub_varint_bytes(value);
}
/* Of a length-delimited field whose body has len bytes, body included. */
static inline size_t pubsub_wire_len_bytes(size_t len) {
  return 1 + pubsub_varint_bytes(len) + len;
}
static inline uint8_t *pubsub_wire_write_number(uint8_t *out, uint8_t tag, uint64_t value) {
  *out++ = tag;
  return pubsub_varint_write(out, value);
}
/* Of a length-delimited field, tag and length alone; the body follows. */
static inline uint8_t *pubsub_wire_write_head(uint8_t *out, uint8_t tag, size_t len) {
  return pubsub_wire_write_number(out, tag, len);
}
static inline uint8_t *pubsub_wire_write_bytes(uint8_t *out, uint8_t tag, const void *ptr,
                                               size_t len) {
  out = pubsub_wire_write_head(out, tag, len);
  if (len > 0) memcpy(out, ptr, len);
  return out + len;
}

struct pubsub_wire_field {
  uint64_t tag;             /* number << 3 | enum pubsub_wire_type */
  uint64_t number;          /* of a varint */
  struct pubsub_view value; /* of a length-delimited field: borrowed */
};
/* Reads one field from [ptr, end); returns the byte after it, NULL when cut, malformed or a
 * group. */
static inline const uint8_t *pubsub_wire_field_read(const uint8_t *ptr, const uint8_t *end,
                                                    struct pubsub_wire_field *out) {
  uint64_t len;
  *out = (struct pubsub_wire_field){0};
  ptr = pubsub_varint_read(ptr, end, &out->tag);
  if (!ptr) return NULL;
  switch (out->tag & 7) {
  case PUBSUB_WIRE_VARINT:
    return pubsub_varint_read(ptr, end, &out->number);
  case PUBSUB_WIRE_I64:
    return end - ptr >= 8 ? ptr + 8 : NULL;
  case PUBSUB_WIRE_I32:
    return end - ptr >= 4 ? ptr + 4 : NULL;
  case PUBSUB_WIRE_LEN:
    ptr = pubsub_varint_read(ptr, end, &len);
    if (!ptr || len > (uint64_t)(end - ptr)) return NULL;
    out->value = pubsub_view_of(ptr, (size_t)len);
    return ptr + len;
  default:
    return NULL;
  }
}

#endif
