#include "api/update.h"

#include <string.h>

static size_t value_bytes(const ProtobufCFieldDescriptor *field) {
  if (field->label == PROTOBUF_C_LABEL_REPEATED) return sizeof(void *);
  switch (field->type) {
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_MESSAGE:
    return sizeof(void *);
  case PROTOBUF_C_TYPE_BYTES:
    return sizeof(ProtobufCBinaryData);
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64:
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_UINT64:
  case PROTOBUF_C_TYPE_FIXED64:
  case PROTOBUF_C_TYPE_DOUBLE:
    return 8;
  default:
    return 4; /* 32-bit numbers, enums, booleans */
  }
}

static void swap(void *a, void *b, size_t bytes) {
  uint8_t keep[sizeof(ProtobufCBinaryData)];
  memcpy(keep, a, bytes);
  memcpy(a, b, bytes);
  memcpy(b, keep, bytes);
}

static void swap_field(const ProtobufCFieldDescriptor *field, ProtobufCMessage *a,
                       ProtobufCMessage *b) {
  swap((uint8_t *)a + field->offset, (uint8_t *)b + field->offset, value_bytes(field));
  if (field->label == PROTOBUF_C_LABEL_REPEATED) {
    swap((uint8_t *)a + field->quantifier_offset, (uint8_t *)b + field->quantifier_offset,
         sizeof(size_t));
  }
}

static bool is_among(const char *const *names, const char *name) {
  while (*names && strcmp(*names, name) != 0)
    names++;
  return *names != NULL;
}

/* The field that a path names: its first part, whole. Members of a oneof are exchanged by
 * nothing here. */
static const ProtobufCFieldDescriptor *find(const ProtobufCMessage *config, const char *path) {
  char name[64];
  size_t len = strcspn(path, ".");
  if (len >= sizeof name) return NULL;
  memcpy(name, path, len);
  name[len] = '\0';
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(config->descriptor, name);
  return field && !(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) ? field : NULL;
}

bool update_apply(ProtobufCMessage *config, ProtobufCMessage *update,
                  const Google__Protobuf__FieldMask *mask, const char *const *fixed,
                  const char **problem) {
  size_t count = mask ? mask->n_paths : 0;
  for (size_t i = 0; i < count; i++) {
    const ProtobufCFieldDescriptor *field = find(config, mask->paths[i]);
    if (!field || is_among(fixed, field->name)) {
      *problem = mask->paths[i];
      return false;
    }
  }
  for (size_t i = 0; i < count; i++)
    swap_field(find(config, mask->paths[i]), config, update);
  *problem = NULL;
  return true;
}
