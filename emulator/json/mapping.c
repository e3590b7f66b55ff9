#include "json/mapping.h"

#include "base/text.h"
#include "json/known.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

/* What one element of a field takes; generated code frees with the system's allocator. */
union value {
  int32_t i32;
  int64_t i64;
  float f32;
  double f64;
  protobuf_c_boolean boolean;
  char *text;
  ProtobufCBinaryData bytes;
  ProtobufCMessage *message;
};

static bool read_fields(struct json *json, ProtobufCMessage *message);

/* ---- names ---- */

/* Whether "ack_deadline_seconds" is written "ackDeadlineSeconds". */
static bool is_camel_of(const char *name, const char *text) {
  for (; *name; name++, text++) {
    bool upper = *name == '_' && name[1];
    if (upper) name++;
    if (*text != (upper ? (char)toupper((unsigned char)*name) : *name)) return false;
  }
  return *text == '\0';
}

const ProtobufCFieldDescriptor *json_find_field(const ProtobufCMessageDescriptor *descriptor,
                                                const char *text) {
  for (unsigned i = 0; i < descriptor->n_fields; i++) {
    const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
    if (strcmp(field->name, text) == 0 || is_camel_of(field->name, text)) return field;
  }
  return NULL;
}

/* ---- values ---- */

static char *copy_text(const struct pubsub_buf *text) {
  char *copy = malloc(text->len + 1);
  if (copy) memcpy(copy, text->ptr, text->len + 1);
  return copy;
}

static bool read_text(struct json *json, char **out) {
  struct pubsub_buf text = {0};
  bool good = json_string(json, &text);
  if (good && !(*out = copy_text(&text))) good = json_fail(json, "out of memory");
  pubsub_buf_clear(&text);
  return good;
}

/* All of it, with all of its padding or none. */
static bool is_base64(const struct pubsub_buf *text) {
  static const char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_";
  const char *start = (const char *)text->ptr;
  size_t len = strspn(start, letters), pad = strspn(start + len, "=");
  return len + pad == text->len && len % 4 != 1 && (pad == 0 || (pad < 3 && text->len % 4 == 0));
}

static bool decode(struct json *json, const struct pubsub_buf *text, ProtobufCBinaryData *out) {
  struct pubsub_buf bytes = {0};
  if (!is_base64(text)) return json_fail(json, "this is not base64");
  if (pubsub_base64_decode(pubsub_view_of(text->ptr, text->len), &bytes) != PUBSUB_OK ||
      !(out->data = malloc(bytes.len + 1))) {
    pubsub_buf_clear(&bytes);
    return json_fail(json, "out of memory");
  }
  out->len = bytes.len;
  if (bytes.len > 0) memcpy(out->data, bytes.ptr, bytes.len);
  pubsub_buf_clear(&bytes);
  return true;
}

static bool read_bytes(struct json *json, ProtobufCBinaryData *out) {
  struct pubsub_buf text = {0};
  bool good = json_string(json, &text) && decode(json, &text, out);
  pubsub_buf_clear(&text);
  return good;
}

/* A number, or a string of one, as text that ends with NUL. */
static bool number_text(struct json *json, char out[48]) {
  struct pubsub_view number = {0};
  struct pubsub_buf text = {0};
  bool good =
      json_peek(json) == JSON_STRING ? json_string(json, &text) : json_number(json, &number);
  if (good && text.ptr) number = pubsub_view_of(text.ptr, text.len);
  if (good && number.len >= 48) good = json_fail(json, "a number is too long");
  if (good) {
    memcpy(out, number.ptr, number.len);
    out[number.len] = '\0';
  }
  pubsub_buf_clear(&text);
  return good;
}

static bool read_integer(struct json *json, int64_t least, int64_t most, int64_t *out) {
  char text[48], *end;
  if (!number_text(json, text)) return false;
  errno = 0;
  *out = strtoll(text, &end, 10);
  if (end == text || *end || errno || *out < least || *out > most) {
    return json_fail(json, "%s is no whole number from %lld to %lld", text, (long long)least,
                     (long long)most);
  }
  return true;
}

static bool read_double(struct json *json, double *out) {
  char text[48], *end;
  if (!number_text(json, text)) return false;
  *out = strtod(text, &end);
  return (end != text && !*end) || json_fail(json, "%s is no number", text);
}

static bool read_enum(struct json *json, const ProtobufCEnumDescriptor *descriptor, int32_t *out) {
  struct pubsub_buf name = {0};
  int64_t number;
  if (json_peek(json) == JSON_NUMBER) {
    if (!read_integer(json, INT32_MIN, INT32_MAX, &number)) return false;
    *out = (int32_t)number;
    return true;
  }
  bool good = json_string(json, &name);
  const ProtobufCEnumValue *value =
      good ? protobuf_c_enum_descriptor_get_value_by_name(descriptor, (const char *)name.ptr)
           : NULL;
  if (value) *out = value->value;
  if (good && !value) {
    good = json_fail(json, "'%.100s' is no %s", (const char *)name.ptr, descriptor->short_name);
  }
  pubsub_buf_clear(&name);
  return good;
}

ProtobufCMessage *json_new_message(struct json *json,
                                   const ProtobufCMessageDescriptor *descriptor) {
  ProtobufCMessage *message = malloc(descriptor->sizeof_message);
  if (message) {
    protobuf_c_message_init(descriptor, message);
  } else {
    json_fail(json, "out of memory");
  }
  return message;
}

ProtobufCMessage *json_message(struct json *json, const ProtobufCMessageDescriptor *descriptor) {
  ProtobufCMessage *message = json_new_message(json, descriptor);
  if (!message) return NULL;
  if (known_is(descriptor) ? known_read(json, message) : read_fields(json, message)) {
    return message;
  }
  protobuf_c_message_free_unpacked(message, NULL);
  return NULL;
}

/* One value of the field's type. False: nothing is left of it. */
static bool read_value(struct json *json, const ProtobufCFieldDescriptor *field, union value *out) {
  int64_t number;
  bool boolean;
  switch (field->type) {
  case PROTOBUF_C_TYPE_STRING:
    return read_text(json, &out->text);
  case PROTOBUF_C_TYPE_BYTES:
    return read_bytes(json, &out->bytes);
  case PROTOBUF_C_TYPE_MESSAGE:
    out->message = json_message(json, field->descriptor);
    return out->message != NULL;
  case PROTOBUF_C_TYPE_BOOL:
    if (!json_bool(json, &boolean)) return false;
    out->boolean = boolean;
    return true;
  case PROTOBUF_C_TYPE_ENUM:
    return read_enum(json, field->descriptor, &out->i32);
  case PROTOBUF_C_TYPE_DOUBLE:
    return read_double(json, &out->f64);
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64:
  case PROTOBUF_C_TYPE_SFIXED64:
    return read_integer(json, INT64_MIN, INT64_MAX, &out->i64);
  case PROTOBUF_C_TYPE_INT32:
  case PROTOBUF_C_TYPE_SINT32:
  case PROTOBUF_C_TYPE_SFIXED32:
    if (!read_integer(json, INT32_MIN, INT32_MAX, &number)) return false;
    out->i32 = (int32_t)number;
    return true;
  default:
    return json_fail(json, "'%s' cannot be given here", field->name);
  }
}

size_t json_value_bytes(const ProtobufCFieldDescriptor *field) {
  switch (field->type) {
  case PROTOBUF_C_TYPE_STRING:
  case PROTOBUF_C_TYPE_MESSAGE:
    return sizeof(void *);
  case PROTOBUF_C_TYPE_BYTES:
    return sizeof(ProtobufCBinaryData);
  case PROTOBUF_C_TYPE_INT64:
  case PROTOBUF_C_TYPE_SINT64:
  case PROTOBUF_C_TYPE_SFIXED64:
  case PROTOBUF_C_TYPE_DOUBLE:
    return 8;
  default:
    return 4;
  }
}

/* ---- fields ---- */

static void *place(ProtobufCMessage *message, unsigned offset) {
  return (uint8_t *)message + offset;
}

/* Makes room for one more element. NULL: no memory. */
static void *grow(struct json *json, ProtobufCMessage *message,
                  const ProtobufCFieldDescriptor *field) {
  size_t *count = place(message, field->quantifier_offset), size = json_value_bytes(field);
  void **array = place(message, field->offset);
  void *grown = realloc(*array, (*count + 1) * size);
  if (!grown) {
    json_fail(json, "out of memory");
    return NULL;
  }
  *array = grown;
  return memset((uint8_t *)grown + *count * size, 0, size);
}

static bool read_element(struct json *json, ProtobufCMessage *message,
                         const ProtobufCFieldDescriptor *field) {
  union value value = {0};
  void *at = grow(json, message, field);
  if (!at || !read_value(json, field, &value)) return false;
  memcpy(at, &value, json_value_bytes(field));
  ++*(size_t *)place(message, field->quantifier_offset);
  return true;
}

bool json_is_map(const ProtobufCFieldDescriptor *field) {
  if (field->label != PROTOBUF_C_LABEL_REPEATED || field->type != PROTOBUF_C_TYPE_MESSAGE) {
    return false;
  }
  const ProtobufCMessageDescriptor *entry = field->descriptor;
  size_t len = strlen(entry->short_name);
  return entry->n_fields == 2 && len > 5 && strcmp(entry->short_name + len - 5, "Entry") == 0;
}

/* {"key": value}: an entry each, with a key that is a string. */
static bool read_map(struct json *json, ProtobufCMessage *message,
                     const ProtobufCFieldDescriptor *field) {
  const ProtobufCMessageDescriptor *descriptor = field->descriptor;
  const ProtobufCFieldDescriptor *key = protobuf_c_message_descriptor_get_field(descriptor, 1),
                                 *value = protobuf_c_message_descriptor_get_field(descriptor, 2);
  struct pubsub_buf text = {0};
  bool good = json_enter(json, '{');
  while (good && json_more(json, '}')) {
    union value read = {0};
    void *at = grow(json, message, field);
    ProtobufCMessage *entry = at ? json_new_message(json, descriptor) : NULL;
    good = entry != NULL;
    if (!good) break;
    memcpy(at, &entry, sizeof entry);
    ++*(size_t *)place(message, field->quantifier_offset);
    char *copy = json_key(json, &text) ? copy_text(&text) : NULL;
    if (copy) memcpy(place(entry, key->offset), &copy, sizeof copy);
    good = copy && read_value(json, value, &read);
    if (good) memcpy(place(entry, value->offset), &read, json_value_bytes(value));
  }
  pubsub_buf_clear(&text);
  return good && !json->failed;
}

static bool read_array(struct json *json, ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field) {
  bool good = json_enter(json, '[');
  while (good && json_more(json, ']'))
    good = read_element(json, message, field);
  return good && !json->failed;
}

/* Which member of its oneof is set; of others whether it is there, where that is told. */
static void mark(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  uint32_t *which = place(message, field->quantifier_offset);
  if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
    *which = field->id;
  } else if (field->label == PROTOBUF_C_LABEL_OPTIONAL && field->quantifier_offset > 0) {
    *which = 1;
  }
}

/* A field, or a oneof, that is given twice would leave the first behind. */
static bool is_given(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  void *at = place(message, field->offset), *pointer;
  if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
    return *(uint32_t *)place(message, field->quantifier_offset) != 0;
  }
  if (field->label == PROTOBUF_C_LABEL_REPEATED) return false;
  if (field->type == PROTOBUF_C_TYPE_BYTES) return ((ProtobufCBinaryData *)at)->data != NULL;
  if (field->type != PROTOBUF_C_TYPE_STRING && field->type != PROTOBUF_C_TYPE_MESSAGE) return false;
  memcpy(&pointer, at, sizeof pointer);
  return pointer && pointer != (void *)(uintptr_t)protobuf_c_empty_string;
}

static bool read_single(struct json *json, ProtobufCMessage *message,
                        const ProtobufCFieldDescriptor *field) {
  union value value = {0};
  if (!read_value(json, field, &value)) return false;
  memcpy(place(message, field->offset), &value, json_value_bytes(field));
  mark(message, field);
  return true;
}

bool json_read_into(struct json *json, ProtobufCMessage *message,
                    const ProtobufCFieldDescriptor *field) {
  if (field->label == PROTOBUF_C_LABEL_REPEATED) return read_element(json, message, field);
  if (is_given(message, field)) return json_fail(json, "'%s' is given twice", field->name);
  return read_single(json, message, field);
}

static bool read_field(struct json *json, ProtobufCMessage *message,
                       const ProtobufCFieldDescriptor *field) {
  if (json_peek(json) == JSON_NULL) return json_null(json);
  if (is_given(message, field)) return json_fail(json, "'%s' is given twice", field->name);
  if (json_is_map(field)) return read_map(json, message, field);
  if (field->label == PROTOBUF_C_LABEL_REPEATED) return read_array(json, message, field);
  return read_single(json, message, field);
}

static bool read_fields(struct json *json, ProtobufCMessage *message) {
  struct pubsub_buf name = {0};
  bool good = json_enter(json, '{');
  while (good && json_more(json, '}')) {
    good = json_key(json, &name);
    if (!good) break;
    const ProtobufCFieldDescriptor *field =
        json_find_field(message->descriptor, (const char *)name.ptr);
    good = field ? read_field(json, message, field)
                 : json_fail(json, "%s has no '%.100s'", message->descriptor->short_name,
                             (const char *)name.ptr);
  }
  pubsub_buf_clear(&name);
  return good && !json->failed;
}
