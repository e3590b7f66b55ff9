#include "proto/publish_encoder.h"

#include "base/error.h"
#include "base/utf8.h"
#include "proto/wire.h"

enum { FIELD_DATA = 1 << 3 | 2, FIELD_ATTRIBUTE = 2 << 3 | 2, FIELD_ORDERING_KEY = 5 << 3 | 2 };
enum { FIELD_KEY = 1 << 3 | 2, FIELD_VALUE = 2 << 3 | 2 };
enum { FIELD_TOPIC = 1 << 3 | 2, FIELD_MESSAGES = 2 << 3 | 2 };

static size_t attribute_bytes(const struct pubsub_attribute *attribute) {
  return pubsub_wire_len_bytes(attribute->key.len) + pubsub_wire_len_bytes(attribute->value.len);
}

static size_t message_bytes(const struct pubsub_message *message) {
  size_t bytes = message->data.len > 0 ? pubsub_wire_len_bytes(message->data.len) : 0;
  for (size_t i = 0; i < message->attribute_count; i++) {
    bytes += pubsub_wire_len_bytes(attribute_bytes(&message->attributes[i]));
  }
  if (message->ordering_key.len > 0) bytes += pubsub_wire_len_bytes(message->ordering_key.len);
  return bytes;
}

/* Google's own clients and the schema service set keys of the second kind: whoever copies a message
 * sends them again. */
static bool is_reserved(struct pubsub_view key) {
  static const char ours[] = "goog", clients[] = "googclient_";
  if (key.len < sizeof ours - 1 || memcmp(key.ptr, ours, sizeof ours - 1) != 0) return false;
  return key.len < sizeof clients - 1 || memcmp(key.ptr, clients, sizeof clients - 1) != 0;
}

static enum pubsub_status check_attribute(const struct pubsub_attribute *attribute,
                                          struct pubsub_error *error) {
  int key_len = attribute->key.len > 60 ? 60 : (int)attribute->key.len;
  const char *key = (const char *)attribute->key.ptr;
  if (attribute->key.len == 0) {
    return pubsub_error_set(error, PUBSUB_E_LIMIT, "an attribute has an empty key");
  }
  if (!pubsub_utf8_valid(attribute->key.ptr, attribute->key.len)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "an attribute's key is not valid UTF-8");
  }
  if (attribute->key.len > PUBSUB_PUBLISH_MAX_KEY_BYTES) {
    return pubsub_error_set(error, PUBSUB_E_LIMIT,
                            "the key of attribute '%.*s…' has %zu bytes; the limit is %u", key_len,
                            key, attribute->key.len, PUBSUB_PUBLISH_MAX_KEY_BYTES);
  }
  if (is_reserved(attribute->key)) {
    return pubsub_error_set(error, PUBSUB_E_LIMIT,
                            "attribute '%.*s': keys that begin with 'goog' are reserved", key_len,
                            key);
  }
  if (attribute->value.len > PUBSUB_PUBLISH_MAX_VALUE_BYTES) {
    return pubsub_error_set(error, PUBSUB_E_LIMIT,
                            "the value of attribute '%.*s' has %zu bytes; the limit is %u", key_len,
                            key, attribute->value.len, PUBSUB_PUBLISH_MAX_VALUE_BYTES);
  }
  if (!pubsub_utf8_valid(attribute->value.ptr, attribute->value.len)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "the value of attribute '%.*s' is not valid UTF-8", key_len, key);
  }
  return PUBSUB_OK;
}

enum pubsub_status pubsub_publish_measure(const struct pubsub_message *message, size_t *out_bytes,
                                          struct pubsub_error *error) {
  if (message->data.len == 0 && message->attribute_count == 0) {
    return pubsub_error_set(error, PUBSUB_E_LIMIT,
                            "a message needs data or at least one attribute; it has neither");
  }
  if (message->attribute_count > PUBSUB_PUBLISH_MAX_ATTRIBUTES) {
    return pubsub_error_set(error, PUBSUB_E_LIMIT, "it has %zu attributes; the limit is %u",
                            message->attribute_count, PUBSUB_PUBLISH_MAX_ATTRIBUTES);
  }
  for (size_t i = 0; i < message->attribute_count; i++) {
    enum pubsub_status status = check_attribute(&message->attributes[i], error);
    if (status != PUBSUB_OK) return status;
  }
  if (message->ordering_key.len > PUBSUB_PUBLISH_MAX_ORDERING_KEY_BYTES) {
    return pubsub_error_set(error, PUBSUB_E_LIMIT,
                            "its ordering key has %zu bytes; the limit is %u",
                            message->ordering_key.len, PUBSUB_PUBLISH_MAX_ORDERING_KEY_BYTES);
  }
  if (!pubsub_utf8_valid(message->ordering_key.ptr, message->ordering_key.len)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "its ordering key is not valid UTF-8");
  }
  size_t bytes = message_bytes(message);
  if (bytes > PUBSUB_PUBLISH_MAX_BYTES) {
    return pubsub_error_set(error, PUBSUB_E_LIMIT, "it has %zu bytes; the limit is %u (10 MB)",
                            bytes, PUBSUB_PUBLISH_MAX_BYTES);
  }
  *out_bytes = pubsub_wire_len_bytes(bytes);
  return PUBSUB_OK;
}

size_t pubsub_publish_field_bytes(const struct pubsub_message *message) {
  return pubsub_wire_len_bytes(message_bytes(message));
}

static uint8_t *write_field(uint8_t *out, uint8_t tag, struct pubsub_view value) {
  return pubsub_wire_write_bytes(out, tag, value.ptr, value.len);
}

uint8_t *pubsub_publish_encode(const struct pubsub_message *message, uint8_t *out) {
  out = pubsub_wire_write_head(out, FIELD_MESSAGES, message_bytes(message));
  if (message->data.len > 0) out = write_field(out, FIELD_DATA, message->data);
  for (size_t i = 0; i < message->attribute_count; i++) {
    const struct pubsub_attribute *attribute = &message->attributes[i];
    out = pubsub_wire_write_head(out, FIELD_ATTRIBUTE, attribute_bytes(attribute));
    out = write_field(out, FIELD_KEY, attribute->key);
    out = write_field(out, FIELD_VALUE, attribute->value);
  }
  if (message->ordering_key.len > 0) {
    out = write_field(out, FIELD_ORDERING_KEY, message->ordering_key);
  }
  return out;
}

enum pubsub_status pubsub_publish_encode_topic(struct pubsub_buf *buf, struct pubsub_view topic) {
  if (pubsub_buf_reserve(buf, pubsub_wire_len_bytes(topic.len)) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  uint8_t *end = write_field(buf->ptr + buf->len, FIELD_TOPIC, topic);
  buf->len = (size_t)(end - buf->ptr);
  return PUBSUB_OK;
}

enum pubsub_status pubsub_publish_decode_ids(struct pubsub_view response,
                                             void (*on_id)(void *user, struct pubsub_view id),
                                             void *user) {
  const uint8_t *ptr = response.ptr, *end = ptr + response.len;
  while (ptr < end) {
    uint64_t tag, len;
    ptr = pubsub_varint_read(ptr, end, &tag);
    if (!ptr || tag >> 3 == 0) return PUBSUB_E_PROTOCOL;
    if ((tag & 7) == PUBSUB_WIRE_VARINT) {
      if (!(ptr = pubsub_varint_read(ptr, end, &len))) return PUBSUB_E_PROTOCOL;
      continue;
    }
    if ((tag & 7) == PUBSUB_WIRE_LEN) {
      ptr = pubsub_varint_read(ptr, end, &len);
    } else if ((tag & 7) == PUBSUB_WIRE_I64 || (tag & 7) == PUBSUB_WIRE_I32) {
      len = (tag & 7) == PUBSUB_WIRE_I64 ? 8 : 4;
    } else {
      return PUBSUB_E_PROTOCOL;
    }
    if (!ptr || len > (uint64_t)(end - ptr)) return PUBSUB_E_PROTOCOL;
    if (tag == (1 << 3 | 2)) on_id(user, pubsub_view_of(ptr, (size_t)len));
    ptr += len;
  }
  return PUBSUB_OK;
}
