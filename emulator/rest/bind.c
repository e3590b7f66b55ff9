#include "rest/bind.h"

#include "base/error.h"
#include "base/text.h"
#include "base/utf8.h"
#include "json/mapping.h"
#include "json/printer.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- fields ---- */

static void *place(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  return (uint8_t *)message + field->offset;
}

/* The message that a path ("topic.name") goes through, made where it is missing; *name becomes
 * the last part. NULL: there is none, told. */
static ProtobufCMessage *enter(ProtobufCMessage *message, char **name, struct json *json) {
  char *dot;
  while ((dot = strchr(*name, '.'))) {
    *dot = '\0';
    const ProtobufCFieldDescriptor *field = json_find_field(message->descriptor, *name);
    if (!field || field->type != PROTOBUF_C_TYPE_MESSAGE ||
        field->label == PROTOBUF_C_LABEL_REPEATED || field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
      json_fail(json, "%s has no '%.100s'", message->descriptor->short_name, *name);
      return NULL;
    }
    ProtobufCMessage **inner = place(message, field);
    if (!*inner) *inner = json_new_message(json, field->descriptor);
    if (!*inner) return NULL;
    message = *inner;
    *name = dot + 1;
  }
  return message;
}

static bool set_text(ProtobufCMessage *message, char *name, const char *value, struct json *json) {
  message = enter(message, &name, json);
  if (!message) return false;
  const ProtobufCFieldDescriptor *field = json_find_field(message->descriptor, name);
  if (!field || field->type != PROTOBUF_C_TYPE_STRING ||
      field->label == PROTOBUF_C_LABEL_REPEATED) {
    return json_fail(json, "%s has no '%.100s'", message->descriptor->short_name, name);
  }
  char **text = place(message, field), *copy = strdup(value);
  if (!copy) return json_fail(json, "out of memory");
  if (*text != (char *)(uintptr_t)protobuf_c_empty_string) free(*text);
  *text = copy;
  return true;
}

/* Whether JSON writes it without quotes. */
static bool is_bare(const ProtobufCFieldDescriptor *field, struct pubsub_view value) {
  bool digit = value.len > 0 && value.ptr[0] >= '0' && value.ptr[0] <= '9';
  return field->type == PROTOBUF_C_TYPE_BOOL || (field->type == PROTOBUF_C_TYPE_ENUM && digit);
}

static bool set_parameter(ProtobufCMessage *message, char *name, struct pubsub_view value,
                          struct json *json) {
  struct pubsub_buf text = {0};
  message = enter(message, &name, json);
  if (!message) return false;
  const ProtobufCFieldDescriptor *field = json_find_field(message->descriptor, name);
  if (!field || (field->type == PROTOBUF_C_TYPE_MESSAGE && json_is_map(field))) {
    return json_fail(json, "%s has no '%.100s'", message->descriptor->short_name, name);
  }
  enum pubsub_status status = is_bare(field, value) ? pubsub_buf_append(&text, value.ptr, value.len)
                                                    : json_print_string(&text, value);
  bool good = status == PUBSUB_OK || json_fail(json, "out of memory");
  if (good) {
    json_init(json, pubsub_view_of(text.ptr, text.len), json->error);
    good = json_read_into(json, message, field) && json_end(json);
  }
  pubsub_buf_clear(&text);
  return good;
}

/* ---- errors: a place within a line tells nothing here ---- */

static enum pubsub_status told(bool good, const char *what, const struct pubsub_error *own,
                               struct pubsub_error *error) {
  const char *text = strstr(own->text, ": ");
  if (good) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_INVALID, "%s: %s", what, text ? text + 2 : own->text);
}

enum pubsub_status bind_text(ProtobufCMessage *message, const char *field, const char *value,
                             struct pubsub_error *error) {
  struct pubsub_error own = {0};
  struct json json;
  char name[100];
  json_init(&json, pubsub_view_str(""), &own);
  snprintf(name, sizeof name, "%s", field);
  return told(set_text(message, name, value, &json), "the path", &own, error);
}

/* ---- the query ---- */

static bool is_common(const char *name) {
  static const char *const names[] = {
      "$.xgafv",     "access_token", "key",        "oauth_token",     "prettyPrint",
      "quotaUser",   "userIp",       "uploadType", "upload_protocol", "$prettyPrint",
      "$apiVersion", "$fields",      "fields"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(name, names[i]) == 0) return true;
  }
  return false;
}

static bool is_alt(const char *name) {
  return strcmp(name, "alt") == 0 || strcmp(name, "$alt") == 0;
}

/* A piece of the query, decoded and ended by NUL. False: malformed, or no memory. */
static bool decode(struct pubsub_view in, struct pubsub_buf *out) {
  size_t len = 0;
  out->len = 0;
  if (pubsub_buf_reserve(out, in.len + 1) != PUBSUB_OK) return false;
  for (size_t i = 0; i < in.len; i++) /* as forms write a blank */
    out->ptr[i] = in.ptr[i] == '+' ? ' ' : in.ptr[i];
  if (!pubsub_percent_decode(pubsub_view_of(out->ptr, in.len), out->ptr, in.len, &len)) {
    return false;
  }
  out->len = len;
  out->ptr[len] = '\0';
  return memchr(out->ptr, 0, len) == NULL && pubsub_utf8_valid(out->ptr, len);
}

static bool bind_one(ProtobufCMessage *message, const struct pubsub_buf *name,
                     const struct pubsub_buf *value, bool none, bool *enum_numbers,
                     struct json *json) {
  char *text = (char *)name->ptr;
  struct pubsub_view view = pubsub_view_of(value->ptr, value->len);
  if (is_alt(text)) {
    *enum_numbers = pubsub_view_equal(view, pubsub_view_str("json;enum-encoding=int"));
    return *enum_numbers || pubsub_view_equal(view, pubsub_view_str("json")) ||
           json_fail(json, "answers are in JSON: alt=json");
  }
  if (is_common(text)) return true;
  if (none) return json_fail(json, "there is no parameter '%.100s': the body is the request", text);
  return set_parameter(message, text, view, json);
}

static bool bind_piece(ProtobufCMessage *message, struct pubsub_view piece, bool none,
                       bool *enum_numbers, struct json *json) {
  struct pubsub_buf name = {0}, value = {0};
  const uint8_t *equals = memchr(piece.ptr, '=', piece.len);
  size_t name_len = equals ? (size_t)(equals - piece.ptr) : piece.len;
  struct pubsub_view rest =
      equals ? pubsub_view_of(equals + 1, piece.len - name_len - 1) : (struct pubsub_view){0};
  bool good = decode(pubsub_view_of(piece.ptr, name_len), &name) && decode(rest, &value);
  good = good ? bind_one(message, &name, &value, none, enum_numbers, json)
              : json_fail(json, "it is not well encoded");
  pubsub_buf_clear(&name);
  pubsub_buf_clear(&value);
  return good;
}

enum pubsub_status bind_query(ProtobufCMessage *message, struct pubsub_view query, bool none,
                              bool *enum_numbers, struct pubsub_error *error) {
  struct pubsub_error own = {0};
  bool good = true;
  while (query.len > 0 && good) {
    struct json json;
    const uint8_t *and = memchr(query.ptr, '&', query.len);
    size_t len = and? (size_t)(and-query.ptr) : query.len, step = and? len + 1 : len;
    json_init(&json, pubsub_view_str(""), &own);
    if (len > 0)
      good = bind_piece(message, pubsub_view_of(query.ptr, len), none, enum_numbers, &json);
    query = pubsub_view_of(query.ptr + step, query.len - step);
  }
  return told(good, "the query", &own, error);
}
