/*
 * JSON into generated messages. What is read is a message that can be written and read again; what
 * is not is told with its place; nothing is left behind either way.
 *
 * Input: which message, then JSON.
 */
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "google/pubsub/v1/schema.pb-c.h"
#include "json/mapping.h"
#include "support/fuzz.h"
#include <stdlib.h>

static const ProtobufCMessageDescriptor *const descriptors[] = {
    &google__pubsub__v1__subscription__descriptor,
    &google__pubsub__v1__topic__descriptor,
    &google__pubsub__v1__publish_request__descriptor,
    &google__pubsub__v1__create_schema_request__descriptor,
    &google__pubsub__v1__seek_request__descriptor,
    &google__pubsub__v1__streaming_pull_request__descriptor,
};

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
  struct json json;
  json_init(&json, pubsub_view_of(copy, text.len), &error);
  ProtobufCMessage *message = json_message(&json, descriptors[which]);
  FUZZ_CHECK((message == NULL) == (error.text[0] != '\0'));
  if (message) check_written(message);
  if (message) protobuf_c_message_free_unpacked(message, NULL);
  free(copy);
  return 0;
}
