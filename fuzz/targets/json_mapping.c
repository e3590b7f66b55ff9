/*
 * JSON into generated messages and back. What is read is a message that can be written and read
 * again, in its own bytes and as JSON; what is not is told with its place; nothing is left behind
 * either way.
 *
 * Input: which message, then JSON.
 */
#include "google/iam/v1/iam_policy.pb-c.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "google/pubsub/v1/schema.pb-c.h"
#include "json/mapping.h"
#include "json/render.h"
#include "support/fuzz.h"
#include <stdlib.h>

static const ProtobufCMessageDescriptor *const descriptors[] = {
    &google__pubsub__v1__subscription__descriptor,
    &google__pubsub__v1__topic__descriptor,
    &google__pubsub__v1__publish_request__descriptor,
    &google__pubsub__v1__create_schema_request__descriptor,
    &google__pubsub__v1__seek_request__descriptor,
    &google__pubsub__v1__streaming_pull_request__descriptor,
    &google__pubsub__v1__update_topic_request__descriptor,
    &google__iam__v1__set_iam_policy_request__descriptor,
};

static ProtobufCMessage *read(struct pubsub_view text, struct pubsub_error *error,
                              const ProtobufCMessageDescriptor *descriptor) {
  struct json json;
  json_init(&json, text, error);
  return json_message(&json, descriptor);
}

/* As JSON it is the same again: the second text is the first. */
static void check_rendered(const ProtobufCMessage *message) {
  struct pubsub_buf first = {0}, second = {0};
  struct pubsub_error error = {0};
  FUZZ_CHECK(json_render(&first, message, false) == PUBSUB_OK);
  ProtobufCMessage *again = read(pubsub_view_of(first.ptr, first.len), &error, message->descriptor);
  FUZZ_CHECK(again);
  FUZZ_CHECK(json_render(&second, again, false) == PUBSUB_OK);
  FUZZ_CHECK(first.len == second.len && memcmp(first.ptr, second.ptr, first.len) == 0);
  protobuf_c_message_free_unpacked(again, NULL);
  pubsub_buf_clear(&first);
  pubsub_buf_clear(&second);
}

static void check_written(const ProtobufCMessage *message) {
  size_t len = protobuf_c_message_get_packed_size(message);
  uint8_t *bytes = fuzz_alloc(len + 1);
  FUZZ_CHECK(protobuf_c_message_pack(message, bytes) == len);
  ProtobufCMessage *again = protobuf_c_message_unpack(message->descriptor, NULL, len, bytes);
  FUZZ_CHECK(again && protobuf_c_message_get_packed_size(again) == len);
  protobuf_c_message_free_unpacked(again, NULL);
  free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  size_t which = fuzz_u8(&input) % (sizeof descriptors / sizeof *descriptors);
  struct pubsub_view text = fuzz_rest(&input);
  uint8_t *copy = fuzz_copy(text);
  struct pubsub_error error = {0};
  ProtobufCMessage *message = read(pubsub_view_of(copy, text.len), &error, descriptors[which]);
  FUZZ_CHECK((message == NULL) == (error.text[0] != '\0'));
  if (message) check_written(message);
  if (message) check_rendered(message);
  if (message) protobuf_c_message_free_unpacked(message, NULL);
  free(copy);
  return 0;
}
