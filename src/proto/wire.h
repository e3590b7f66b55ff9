/*
 * The protobuf wire format by hand, for the two hot paths only (received messages, publish requests). Everything
 * else uses the generated code. Bounds are checked before a byte is read; varints longer than 10 bytes are errors.
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

struct pubsub_wire_field {
  uint64_t tag;             /* number << 3 | enum pubsub_wire_type */
  uint64_t number;          /* of a varint */
  struct pubsub_view value; /* of a length-delimited field: borrowed */
};
/* Reads one field from [ptr, end); returns the byte after it, NULL when cut, malformed or a group. */
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
