#include "json/known.h"

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "json/masks.h"
#include "json/moments.h"
#include "json/printer.h"
#include "json/structs.h"

static bool is_duration(const ProtobufCMessageDescriptor *descriptor) {
  return descriptor == &google__protobuf__duration__descriptor;
}

static bool is_mask(const ProtobufCMessageDescriptor *descriptor) {
  return descriptor == &google__protobuf__field_mask__descriptor;
}

bool known_is(const ProtobufCMessageDescriptor *descriptor) {
  return is_duration(descriptor) || descriptor == &google__protobuf__timestamp__descriptor ||
         is_mask(descriptor) || structs_are(descriptor);
}

static bool read_time(struct json *json, ProtobufCMessage *message) {
  bool duration = is_duration(message->descriptor);
  struct pubsub_buf text = {0};
  int64_t seconds = 0;
  int32_t nanos = 0;
  bool good = json_string(json, &text);
  if (good && !(duration ? json_parse_duration : json_parse_timestamp)((const char *)text.ptr,
                                                                       &seconds, &nanos)) {
    good = json_fail(json,
                     duration ? "'%.100s' is no duration, like \"3.5s\""
                              : "'%.100s' is no time, like \"2024-01-31T12:00:00Z\"",
                     (const char *)text.ptr);
  }
  pubsub_buf_clear(&text);
  /* Both have the same two fields. */
  ((Google__Protobuf__Duration *)message)->seconds = seconds;
  ((Google__Protobuf__Duration *)message)->nanos = nanos;
  return good;
}

bool known_read(struct json *json, ProtobufCMessage *message) {
  if (is_mask(message->descriptor)) {
    return masks_read(json, (Google__Protobuf__FieldMask *)message);
  }
  if (structs_are(message->descriptor)) return structs_read(json, message);
  return read_time(json, message);
}

enum pubsub_status known_print(struct pubsub_buf *out, const ProtobufCMessage *message) {
  const Google__Protobuf__Duration *time = (const Google__Protobuf__Duration *)message;
  char text[48];
  if (is_mask(message->descriptor)) {
    return masks_print(out, (const Google__Protobuf__FieldMask *)message);
  }
  if (structs_are(message->descriptor)) return structs_print(out, message);
  (is_duration(message->descriptor) ? json_format_duration
                                    : json_format_timestamp)(time->seconds, time->nanos, text);
  return json_print_string(out, pubsub_view_str(text));
}
