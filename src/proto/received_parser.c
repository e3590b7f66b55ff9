#include "proto/received_parser.h"

#include "base/alloc.h"
#include "base/map.h"
#include "base/rng.h"
#include "proto/wire.h"

#define FEW_ATTRIBUTES 16 /* so many are compared pairwise */

void pubsub_received_parser_reset(struct pubsub_received_parser *parser) {
  struct pubsub_received *message = &parser->message;
  /* Field by field: of a whole struct compilers make a `rep stos`, which takes longer than all else
   * that a small message costs. */
  message->ack_id = message->message_id = message->data = message->ordering_key =
      (struct pubsub_view){0};
  message->attributes = NULL;
  message->attribute_count = 0;
  message->publish_time_us = 0;
  message->delivery_attempt = 0;
  parser->attribute_count = 0;
  parser->seconds = parser->nanos = 0;
}

void pubsub_received_parser_clear(struct pubsub_received_parser *parser) {
  pubsub_free(parser->attributes);
  *parser = (struct pubsub_received_parser){0};
}

static enum pubsub_status malformed(struct pubsub_received_parser *parser, const char *problem) {
  parser->problem = problem;
  return PUBSUB_E_PROTOCOL;
}

/* Skips a value that is not length-delimited. */
static const uint8_t *skip_scalar(const uint8_t *ptr, const uint8_t *end, uint32_t type) {
  uint64_t ignored;
  if (type == PUBSUB_WIRE_VARINT) return pubsub_varint_read(ptr, end, &ignored);
  size_t len = type == PUBSUB_WIRE_I64 ? 8 : type == PUBSUB_WIRE_I32 ? 4 : SIZE_MAX;
  return len <= (size_t)(end - ptr) ? ptr + len : NULL;
}

/* Reads a tag, and the view of a length-delimited value. Other types: *value is left, ptr after the
 * tag. */
static inline const uint8_t *read_head(const uint8_t *ptr, const uint8_t *end, uint64_t *tag,
                                       struct pubsub_view *value) {
  uint64_t len;
  ptr = pubsub_varint_read(ptr, end, tag);
  if (!ptr || *tag > UINT32_MAX || *tag >> 3 == 0) return NULL;
  if ((*tag & 7) != PUBSUB_WIRE_LEN) return ptr;
  ptr = pubsub_varint_read(ptr, end, &len);
  if (!ptr || len > (uint64_t)(end - ptr)) return NULL;
  *value = pubsub_view_of(ptr, (size_t)len);
  return ptr + len;
}

static enum pubsub_status parse_time(struct pubsub_received_parser *parser,
                                     struct pubsub_view encoded) {
  const uint8_t *ptr = encoded.ptr, *end = ptr + encoded.len;
  while (ptr < end) {
    uint64_t tag, number = 0;
    struct pubsub_view value;
    ptr = read_head(ptr, end, &tag, &value);
    if (!ptr) return malformed(parser, "a publish time is malformed");
    if ((tag & 7) == PUBSUB_WIRE_LEN) continue;
    if (tag == (1 << 3) || tag == (2 << 3)) {
      ptr = pubsub_varint_read(ptr, end, &number);
      if (tag == (1 << 3)) {
        parser->seconds = (int64_t)number;
      } else {
        parser->nanos = (int32_t)number;
      }
    } else {
      ptr = skip_scalar(ptr, end, tag & 7);
    }
    if (!ptr) return malformed(parser, "a publish time is malformed");
  }
  return PUBSUB_OK;
}

static enum pubsub_status parse_attribute(struct pubsub_received_parser *parser,
                                          struct pubsub_view encoded) {
  const uint8_t *ptr = encoded.ptr, *end = ptr + encoded.len;
  struct pubsub_attribute attribute = {0};
  while (ptr < end) {
    uint64_t tag;
    struct pubsub_view value;
    ptr = read_head(ptr, end, &tag, &value);
    if (!ptr) return malformed(parser, "an attribute is malformed");
    if (tag == (1 << 3 | PUBSUB_WIRE_LEN)) {
      attribute.key = value;
    } else if (tag == (2 << 3 | PUBSUB_WIRE_LEN)) {
      attribute.value = value;
    } else if ((tag & 7) != PUBSUB_WIRE_LEN) {
      ptr = skip_scalar(ptr, end, tag & 7);
      if (!ptr) return malformed(parser, "an attribute is malformed");
    }
  }
  if (parser->attribute_count == parser->attribute_cap) {
    size_t cap = parser->attribute_cap ? parser->attribute_cap * 2 : 16;
    void *attributes = pubsub_realloc(parser->attributes, cap * sizeof *parser->attributes);
    if (!attributes) return PUBSUB_E_NOMEM;
    parser->attributes = attributes;
    parser->attribute_cap = cap;
  }
  parser->attributes[parser->attribute_count++] = attribute;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_received_parse_field(struct pubsub_received_parser *parser,
                                               uint32_t field, struct pubsub_view value) {
  switch (field) {
  case 2:
    return parse_attribute(parser, value);
  case 3:
    parser->message.message_id = value;
    return PUBSUB_OK;
  case 4:
    return parse_time(parser, value);
  case 5:
    parser->message.ordering_key = value;
    return PUBSUB_OK;
  default:
    return PUBSUB_OK;
  }
}

static enum pubsub_status parse_message(struct pubsub_received_parser *parser,
                                        struct pubsub_view encoded) {
  const uint8_t *ptr = encoded.ptr, *end = ptr + encoded.len;
  while (ptr < end) {
    uint64_t tag;
    struct pubsub_view value;
    ptr = read_head(ptr, end, &tag, &value);
    if (!ptr) return malformed(parser, "a message is malformed");
    if ((tag & 7) == PUBSUB_WIRE_LEN) {
      if (tag >> 3 == 1) {
        parser->message.data = value;
      } else {
        enum pubsub_status status =
            pubsub_received_parse_field(parser, (uint32_t)(tag >> 3), value);
        if (status != PUBSUB_OK) return status;
      }
    } else if (!(ptr = skip_scalar(ptr, end, tag & 7))) {
      return malformed(parser, "a message is malformed");
    }
  }
  return PUBSUB_OK;
}

enum pubsub_status pubsub_received_parse(struct pubsub_received_parser *parser,
                                         struct pubsub_view encoded) {
  const uint8_t *ptr = encoded.ptr, *end = ptr + encoded.len;
  while (ptr < end) {
    uint64_t tag, number = 0;
    struct pubsub_view value;
    ptr = read_head(ptr, end, &tag, &value);
    if (!ptr) return malformed(parser, "a received message is malformed");
    if (tag == (1 << 3 | PUBSUB_WIRE_LEN)) {
      parser->message.ack_id = value;
    } else if (tag == (2 << 3 | PUBSUB_WIRE_LEN)) {
      enum pubsub_status status = parse_message(parser, value);
      if (status != PUBSUB_OK) return status;
    } else if (tag == (3 << 3 | PUBSUB_WIRE_VARINT)) {
      ptr = pubsub_varint_read(ptr, end, &number);
      if (!ptr) return malformed(parser, "a delivery attempt is malformed");
      parser->message.delivery_attempt = (int32_t)number;
    } else if ((tag & 7) != PUBSUB_WIRE_LEN) {
      ptr = skip_scalar(ptr, end, tag & 7);
      if (!ptr) return malformed(parser, "a received message is malformed");
    }
  }
  return PUBSUB_OK;
}

/* ---- completing ---- */

static size_t drop_duplicates_pairwise(struct pubsub_attribute *attributes, size_t count) {
  for (size_t i = count; i-- > 1;) {
    for (size_t j = 0; j < i; j++) {
      if (!pubsub_view_equal(attributes[j].key, attributes[i].key)) continue;
      memmove(&attributes[j], &attributes[j + 1], (count - j - 1) * sizeof *attributes);
      count--;
      i--;
      j--;
    }
  }
  return count;
}

static void draw_seed(struct pubsub_received_parser *parser) {
  struct pubsub_rng rng;
  if (parser->seed != 0) return;
  pubsub_rng_seed_random(&rng);
  parser->seed = pubsub_rng_next(&rng) | 1;
}

/* Keeps the last of each key, in wire order, in linear time: the peer chooses how many there are,
 * and which. */
static enum pubsub_status drop_duplicates_hashed(struct pubsub_received_parser *parser,
                                                 size_t *count) {
  struct pubsub_attribute *attributes = parser->attributes;
  size_t slots = 64, kept = *count;
  draw_seed(parser);
  while (slots < *count * 2)
    slots *= 2;
  uint32_t *table = pubsub_alloc_zero(slots, sizeof *table); /* index + 1 */
  if (!table) return PUBSUB_E_NOMEM;
  for (size_t i = *count; i-- > 0;) {
    size_t slot = pubsub_map_hash(parser->seed, attributes[i].key) & (slots - 1);
    while (table[slot] && !pubsub_view_equal(attributes[table[slot] - 1].key, attributes[i].key)) {
      slot = (slot + 1) & (slots - 1);
      parser->probes++;
    }
    if (table[slot]) {
      continue; /* a later one with this key stays: packed over below */
    }
    kept--;
    if (kept != i) attributes[kept] = attributes[i];
    table[slot] = (uint32_t)kept + 1;
  }
  memmove(attributes, attributes + kept, (*count - kept) * sizeof *attributes);
  *count -= kept;
  pubsub_free(table);
  return PUBSUB_OK;
}

enum pubsub_status pubsub_received_finish(struct pubsub_received_parser *parser) {
  size_t count = parser->attribute_count;
  if (count > FEW_ATTRIBUTES) {
    if (drop_duplicates_hashed(parser, &count) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  } else if (count > 1) {
    count = drop_duplicates_pairwise(parser->attributes, count);
  }
  parser->message.attributes = parser->attributes;
  parser->message.attribute_count = count;
  int64_t us;
  if (__builtin_mul_overflow(parser->seconds, 1000000, &us) ||
      __builtin_add_overflow(us, parser->nanos / 1000, &us)) {
    us = parser->seconds < 0 ? INT64_MIN : INT64_MAX;
  }
  parser->message.publish_time_us = us;
  return PUBSUB_OK;
}
