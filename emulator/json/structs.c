#include "json/structs.h"

#include "google/protobuf/struct.pb-c.h"
#include "json/printer.h"
#include <stdlib.h>

typedef Google__Protobuf__Struct Struct;
typedef Google__Protobuf__Struct__FieldsEntry Entry;
typedef Google__Protobuf__Value Value;
typedef Google__Protobuf__ListValue List;

static bool read_value(struct json *json, Value *value);

bool structs_are(const ProtobufCMessageDescriptor *descriptor) {
  return descriptor == &google__protobuf__struct__descriptor ||
         descriptor == &google__protobuf__value__descriptor ||
         descriptor == &google__protobuf__list_value__descriptor;
}

/* ---- reading; generated code frees with the system's allocator ---- */

static void *new_message(struct json *json, const ProtobufCMessageDescriptor *descriptor) {
  ProtobufCMessage *message = malloc(descriptor->sizeof_message);
  if (message) {
    protobuf_c_message_init(descriptor, message);
  } else {
    json_fail(json, "out of memory");
  }
  return message;
}

/* Room for one more. NULL: no memory. */
static void *grow(struct json *json, void *array, size_t count) {
  void *grown = realloc(array, (count + 1) * sizeof(void *));
  if (!grown) json_fail(json, "out of memory");
  return grown;
}

static bool read_text(struct json *json, bool key, char **out) {
  struct pubsub_buf text = {0};
  char *copy = NULL;
  if (key ? json_key(json, &text) : json_string(json, &text)) {
    copy = malloc(text.len + 1);
    if (copy) memcpy(copy, text.ptr, text.len + 1);
    if (!copy) json_fail(json, "out of memory");
  }
  pubsub_buf_clear(&text);
  if (copy) *out = copy;
  return copy != NULL;
}

static bool read_list(struct json *json, List *list) {
  bool good = json_enter(json, '[');
  while (good && json_more(json, ']')) {
    Value *value = new_message(json, &google__protobuf__value__descriptor);
    void *grown = value ? grow(json, list->values, list->n_values) : NULL;
    if (!grown) {
      free(value);
      return false;
    }
    list->values = grown;
    list->values[list->n_values++] = value;
    good = read_value(json, value);
  }
  return good && !json->failed;
}

static bool read_entry(struct json *json, Entry *entry) {
  if (!read_text(json, true, &entry->key)) return false;
  entry->value = new_message(json, &google__protobuf__value__descriptor);
  return entry->value && read_value(json, entry->value);
}

static bool read_struct(struct json *json, Struct *structure) {
  bool good = json_enter(json, '{');
  while (good && json_more(json, '}')) {
    Entry *entry = new_message(json, &google__protobuf__struct__fields_entry__descriptor);
    void *grown = entry ? grow(json, structure->fields, structure->n_fields) : NULL;
    if (!grown) {
      free(entry);
      return false;
    }
    structure->fields = grown;
    structure->fields[structure->n_fields++] = entry;
    good = read_entry(json, entry);
  }
  return good && !json->failed;
}

static bool read_number(struct json *json, double *out) {
  struct pubsub_view number;
  char text[400];
  if (!json_number(json, &number)) return false;
  if (number.len >= sizeof text) return json_fail(json, "a number is too long");
  memcpy(text, number.ptr, number.len);
  text[number.len] = '\0';
  *out = strtod(text, NULL);
  return true;
}

static bool read_structure_of(struct json *json, Value *value) {
  value->struct_value = new_message(json, &google__protobuf__struct__descriptor);
  if (!value->struct_value) return false;
  value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
  return read_struct(json, value->struct_value);
}

static bool read_list_of(struct json *json, Value *value) {
  value->list_value = new_message(json, &google__protobuf__list_value__descriptor);
  if (!value->list_value) return false;
  value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
  return read_list(json, value->list_value);
}

static bool read_scalar(struct json *json, Value *value, enum json_kind kind) {
  bool boolean = false, good = false;
  if (kind == JSON_STRING) {
    good = read_text(json, false, &value->string_value);
    if (good) value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
  } else if (kind == JSON_NUMBER) {
    value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
    good = read_number(json, &value->number_value);
  } else if (kind == JSON_BOOL) {
    value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;
    good = json_bool(json, &boolean);
    value->bool_value = boolean;
  } else {
    value->kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE;
    good = json_null(json);
  }
  return good;
}

static bool read_value(struct json *json, Value *value) {
  enum json_kind kind = json_peek(json);
  if (kind == JSON_OBJECT) return read_structure_of(json, value);
  if (kind == JSON_ARRAY) return read_list_of(json, value);
  return read_scalar(json, value, kind);
}

bool structs_read(struct json *json, ProtobufCMessage *message) {
  if (message->descriptor == &google__protobuf__struct__descriptor) {
    return read_struct(json, (Struct *)message);
  }
  if (message->descriptor == &google__protobuf__list_value__descriptor) {
    return read_list(json, (List *)message);
  }
  return read_value(json, (Value *)message);
}

/* ---- printing ---- */

static enum pubsub_status print_list(struct pubsub_buf *out, const List *list) {
  enum pubsub_status status = json_print(out, "[");
  for (size_t i = 0; i < list->n_values && status == PUBSUB_OK; i++) {
    if (i > 0) status = json_print(out, ",");
    if (status == PUBSUB_OK) status = structs_print(out, &list->values[i]->base);
  }
  return status == PUBSUB_OK ? json_print(out, "]") : status;
}

static enum pubsub_status print_entry(struct pubsub_buf *out, const Entry *entry) {
  enum pubsub_status status = json_print_string(out, pubsub_view_str(entry->key));
  if (status == PUBSUB_OK) status = json_print(out, ":");
  if (status != PUBSUB_OK) return status;
  return entry->value ? structs_print(out, &entry->value->base) : json_print(out, "null");
}

static enum pubsub_status print_struct(struct pubsub_buf *out, const Struct *structure) {
  enum pubsub_status status = json_print(out, "{");
  for (size_t i = 0; i < structure->n_fields && status == PUBSUB_OK; i++) {
    if (i > 0) status = json_print(out, ",");
    if (status == PUBSUB_OK) status = print_entry(out, structure->fields[i]);
  }
  return status == PUBSUB_OK ? json_print(out, "}") : status;
}

static enum pubsub_status print_value(struct pubsub_buf *out, const Value *value) {
  switch (value->kind_case) {
  case GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE:
    return json_print_double(out, value->number_value);
  case GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE:
    return json_print_string(out, pubsub_view_str(value->string_value));
  case GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE:
    return json_print(out, value->bool_value ? "true" : "false");
  case GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE:
    return print_struct(out, value->struct_value);
  case GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE:
    return print_list(out, value->list_value);
  default:
    return json_print(out, "null");
  }
}

enum pubsub_status structs_print(struct pubsub_buf *out, const ProtobufCMessage *message) {
  if (message->descriptor == &google__protobuf__struct__descriptor) {
    return print_struct(out, (const Struct *)message);
  }
  if (message->descriptor == &google__protobuf__list_value__descriptor) {
    return print_list(out, (const List *)message);
  }
  return print_value(out, (const Value *)message);
}
