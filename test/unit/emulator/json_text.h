/* For tests of json/: from a text to a message and back. */
#ifndef TEST_UNIT_EMULATOR_JSON_TEXT_H
#define TEST_UNIT_EMULATOR_JSON_TEXT_H

#include "json/mapping.h"
#include "json/render.h"
#include "support.h"

/* NULL: refused. */
static inline ProtobufCMessage *json_text_read(const char *text,
                                               const ProtobufCMessageDescriptor *descriptor) {
  struct pubsub_error error = {0};
  struct json json;
  json_init(&json, pubsub_view_str(text), &error);
  ProtobufCMessage *message = json_message(&json, descriptor);
  if (message && json_end(&json)) return message;
  if (message) protobuf_c_message_free_unpacked(message, NULL);
  return NULL;
}

static inline void json_text_expect(const ProtobufCMessage *message, const char *expected) {
  struct pubsub_buf out = {0};
  assert_int_equal(json_render(&out, message, false), PUBSUB_OK);
  assert_int_equal(pubsub_buf_append(&out, "", 1), PUBSUB_OK);
  assert_string_equal((const char *)out.ptr, expected);
  pubsub_buf_clear(&out);
}

/* Reads, and expects to be rendered as `expected`; NULL: as it was; "": refused. */
static inline void json_text_turn(const ProtobufCMessageDescriptor *descriptor, const char *text,
                                  const char *expected) {
  ProtobufCMessage *message = json_text_read(text, descriptor);
  if (expected && !*expected) {
    assert_null(message);
    return;
  }
  assert_non_null(message);
  json_text_expect(message, expected ? expected : text);
  protobuf_c_message_free_unpacked(message, NULL);
}

#endif
