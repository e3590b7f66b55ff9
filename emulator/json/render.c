#include "json/render.h"

#include "json/known.h"
#include "json/mapping.h"
#include "json/printer.h"

/* ---- one value, at its place in memory ---- */

static enum pubsub_status print_enum(struct pubsub_buf *out, const ProtobufCEnumDescriptor *of,
                                     int32_t number, bool numbers) {
  const ProtobufCEnumValue *value =
      numbers ? NULL : protobuf_c_enum_descriptor_get_value(of, number);
  if (!value) return json_print_integer(out, number);
  return json_print_string(out, pubsub_view_str(value->name));
}

static enum pubsub_status print_int64(struct pubsub_buf *out, int64_t number) {
  enum pubsub_status status = json_print(out, "\"");
  if (status == PUBSUB_OK) status = json_print_integer(out, number);
  return status == PUBSUB_OK ? json_print(out, "\"") : status;
}

static enum pubsub_status print_text(struct pubsub_buf *out, const char *text) {
  return json_print_string(out, pubsub_view_str(text ? text : ""));
}

static enum pubsub_status print_value(struct pubsub_buf *out, const ProtobufCFieldDescriptor *field,
                                      const void *at, bool numbers) {
  const ProtobufCBinaryData *bytes = at;
  switch (field->type) {
  case PROTOBUF_C_TYPE_STRING:
    return print_text(out, *(char *const *)at);
  case PROTOBUF_C_TYPE_BYTES:
    return json_print_base64(out, pubsub_view_of(bytes->data, bytes->len));
  case PROTOBUF_C_TYPE_MESSAGE:
    return json_render(out, *(ProtobufCMessage *const *)at, numbers);
  case PROTOBUF_C_TYPE_BOOL:
    return json_print(out, *(const protobuf_c_boolean *)at ? "true" : "false");
  case PROTOBUF_C_TYPE_ENUM:
    return print_enum(out, field->descriptor, *(const int32_t *)at, numbers);
  case PROTOBUF_C_TYPE_DOUBLE:
    return json_print_double(out, *(const double *)at);
  case PROTOBUF_C_TYPE_FLOAT:
    return json_print_double(out, (double)*(const float *)at);
  case PROTOBUF_C_TYPE_INT32:
  case PROTOBUF_C_TYPE_SINT32:
  case PROTOBUF_C_TYPE_SFIXED32:
    return json_print_integer(out, *(const int32_t *)at);
  case PROTOBUF_C_TYPE_UINT32:
  case PROTOBUF_C_TYPE_FIXED32:
    return json_print_integer(out, *(const uint32_t *)at);
  default:
    return print_int64(out, *(const int64_t *)at);
  }
}

/* Whether a field without presence of its own has something to tell. */
static bool is_told(const ProtobufCFieldDescriptor *field, const void *at) {
  const char *text;
  switch (field->type) {
  case PROTOBUF_C_TYPE_STRING:
    text = *(char *const *)at;
    return text && *text;
  case PROTOBUF_C_TYPE_BYTES:
    return ((const ProtobufCBinaryData *)at)->len > 0;
  case PROTOBUF_C_TYPE_MESSAGE:
    return *(ProtobufCMessage *const *)at != NULL;
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64:
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_UINT64:
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_DOUBLE:
    return *(const uint64_t *)at != 0;
  default:
    return *(const uint32_t *)at != 0;
  }
}

/* ---- fields ---- */

static const void *place(const ProtobufCMessage *message, unsigned offset) {
  return (const uint8_t *)message + offset;
}

static bool is_set(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  const void *at = place(message, field->offset);
  if (field->label == PROTOBUF_C_LABEL_REPEATED) {
    return *(const size_t *)place(message, field->quantifier_offset) > 0;
  }
  if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
    return *(const uint32_t *)place(message, field->quantifier_offset) == field->id;
  }
  return is_told(field, at);
}

static enum pubsub_status print_entry(struct pubsub_buf *out, const ProtobufCMessage *entry,
                                      bool numbers) {
  const ProtobufCFieldDescriptor *key =
                                     protobuf_c_message_descriptor_get_field(entry->descriptor, 1),
                                 *value =
                                     protobuf_c_message_descriptor_get_field(entry->descriptor, 2);
  enum pubsub_status status = print_text(out, *(char *const *)place(entry, key->offset));
  if (status == PUBSUB_OK) status = json_print(out, ":");
  return status == PUBSUB_OK ? print_value(out, value, place(entry, value->offset), numbers)
                             : status;
}

static enum pubsub_status print_many(struct pubsub_buf *out, const ProtobufCMessage *message,
                                     const ProtobufCFieldDescriptor *field, bool numbers) {
  const uint8_t *array = *(const uint8_t *const *)place(message, field->offset);
  size_t count = *(const size_t *)place(message, field->quantifier_offset);
  bool map = json_is_map(field);
  enum pubsub_status status = json_print(out, map ? "{" : "[");
  for (size_t i = 0; i < count && status == PUBSUB_OK; i++) {
    const void *at = array + i * json_value_bytes(field);
    if (i > 0) status = json_print(out, ",");
    if (status != PUBSUB_OK) return status;
    status = map ? print_entry(out, *(ProtobufCMessage *const *)at, numbers)
                 : print_value(out, field, at, numbers);
  }
  return status == PUBSUB_OK ? json_print(out, map ? "}" : "]") : status;
}

static enum pubsub_status print_field(struct pubsub_buf *out, const ProtobufCMessage *message,
                                      const ProtobufCFieldDescriptor *field, bool numbers) {
  enum pubsub_status status = json_print_name(out, field->name);
  if (status != PUBSUB_OK) return status;
  if (field->label == PROTOBUF_C_LABEL_REPEATED) return print_many(out, message, field, numbers);
  return print_value(out, field, place(message, field->offset), numbers);
}

enum pubsub_status json_render(struct pubsub_buf *out, const ProtobufCMessage *message,
                               bool enum_numbers) {
  const ProtobufCMessageDescriptor *descriptor = message->descriptor;
  if (known_is(descriptor)) return known_print(out, message);
  enum pubsub_status status = json_print(out, "{");
  bool first = true;
  for (unsigned i = 0; i < descriptor->n_fields && status == PUBSUB_OK; i++) {
    if (!is_set(message, &descriptor->fields[i])) continue;
    if (!first) status = json_print(out, ",");
    if (status == PUBSUB_OK)
      status = print_field(out, message, &descriptor->fields[i], enum_numbers);
    first = false;
  }
  return status == PUBSUB_OK ? json_print(out, "}") : status;
}
