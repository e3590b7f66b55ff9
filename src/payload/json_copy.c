#include "payload/json_copy.h"

#include "payload/java_text.h"
#include "payload/number.h"
#include <math.h>

static bool put(struct pubsub_buf *out, const void *ptr, size_t len) {
  return pubsub_buf_append(out, ptr, len) == PUBSUB_OK;
}

static bool put_text(struct pubsub_buf *out, const char *text) {
  return put(out, text, strlen(text));
}

static size_t unicode_escape(unsigned unit, uint8_t *out) {
  static const char digits[] = "0123456789ABCDEF";
  memcpy(out, "\\u", 2);
  for (int i = 0; i < 4; i++)
    out[2 + i] = (uint8_t)digits[unit >> (12 - 4 * i) & 15];
  return 6;
}

/* One character in front of text, escaped; returns how many bytes were taken. */
static size_t escape(const uint8_t *text, uint8_t *out, size_t *len) {
  static const char from[] = "\b\t\n\f\r\"\\", to[] = "btnfr\"\\";
  const char *found = text[0] ? strchr(from, text[0]) : NULL;
  if (found) {
    out[0] = '\\';
    out[1] = (uint8_t)to[found - from];
    *len = 2;
    return 1;
  }
  if (text[0] < ' ') {
    *len = unicode_escape(text[0], out);
    return 1;
  }
  if (text[0] == 0xed && text[1] > 0x9f) {
    *len = unicode_escape(0xd000u | (text[1] & 0x3fu) << 6 | (text[2] & 0x3fu), out);
    return 3;
  }
  if (text[0] >= 0xf0) {
    unsigned point = ((text[0] & 7u) << 18 | (text[1] & 0x3fu) << 12 | (text[2] & 0x3fu) << 6 |
                      (text[3] & 0x3fu)) -
                     0x10000;
    *len = unicode_escape(0xd800 | point >> 10, out);
    *len += unicode_escape(0xdc00 | (point & 0x3ff), out + *len);
    return 4;
  }
  out[0] = text[0];
  *len = 1;
  return 1;
}

static bool put_quoted(struct pubsub_buf *out, struct pubsub_view text) {
  if (pubsub_buf_reserve(out, 6 * text.len + 2) != PUBSUB_OK) return false;
  out->ptr[out->len++] = '"';
  for (size_t at = 0; at < text.len;) {
    size_t len;
    at += escape(text.ptr + at, out->ptr + out->len, &len);
    out->len += len;
  }
  out->ptr[out->len++] = '"';
  return true;
}

static bool put_int(const struct pubsub_json *json, struct pubsub_buf *out) {
  bool zero = json->text.len == 1 && json->text.ptr[0] == '0';
  return (!json->negative || zero || put_text(out, "-")) &&
         put(out, json->text.ptr, json->text.len);
}

static bool put_float(const struct pubsub_json *json, locale_t c, struct pubsub_buf *out) {
  char text[PUBSUB_JAVA_DOUBLE_CHARS];
  double value = 0;
  if (json->not_finite) {
    bool nan = json->text.ptr[0] == 'N', minus = json->text.ptr[0] == '-';
    return put_text(out, nan ? "\"NaN\"" : minus ? "\"-Infinity\"" : "\"Infinity\"");
  }
  pubsub_number_double((struct pubsub_digits){json->text, json->negative, false}, c, &value);
  struct pubsub_view found = pubsub_view_of(text, pubsub_java_double(value, text));
  return isfinite(value) ? put(out, found.ptr, found.len) : put_quoted(out, found);
}

/* The token alone. */
static enum pubsub_json_copied copy_token(struct pubsub_json *json, locale_t c,
                                          struct pubsub_buf *out) {
  static const char *const words[] = {
      [PUBSUB_JSON_START_OBJECT] = "{", [PUBSUB_JSON_END_OBJECT] = "}",
      [PUBSUB_JSON_START_ARRAY] = "[",  [PUBSUB_JSON_END_ARRAY] = "]",
      [PUBSUB_JSON_TRUE] = "true",      [PUBSUB_JSON_FALSE] = "false",
      [PUBSUB_JSON_NULL] = "null",
  };
  bool done;
  switch (json->token) {
  case PUBSUB_JSON_NONE:
    return PUBSUB_JSON_MALFORMED;
  case PUBSUB_JSON_FIELD_NAME:
    done = put_quoted(out, pubsub_json_name(json)) && put_text(out, ":");
    break;
  case PUBSUB_JSON_STRING:
    if (!pubsub_json_finish_string(json))
      return json->out_of_memory ? PUBSUB_JSON_NO_MEMORY : PUBSUB_JSON_MALFORMED;
    done = put_quoted(out, json->text);
    break;
  case PUBSUB_JSON_INT:
    done = put_int(json, out);
    break;
  case PUBSUB_JSON_FLOAT:
    done = put_float(json, c, out);
    break;
  default:
    done = put_text(out, words[json->token]);
  }
  return done ? PUBSUB_JSON_COPIED : PUBSUB_JSON_NO_MEMORY;
}

enum pubsub_json_copied pubsub_json_copy(struct pubsub_json *json, locale_t c,
                                         struct pubsub_buf *out) {
  int open = 0;
  bool comma = false;
  out->len = 0;
  if (json->token == PUBSUB_JSON_END_OBJECT || json->token == PUBSUB_JSON_END_ARRAY)
    return PUBSUB_JSON_MALFORMED;
  do {
    bool starts = json->token == PUBSUB_JSON_START_OBJECT || json->token == PUBSUB_JSON_START_ARRAY;
    bool ends = json->token == PUBSUB_JSON_END_OBJECT || json->token == PUBSUB_JSON_END_ARRAY;
    if (comma && !ends && !put_text(out, ",")) return PUBSUB_JSON_NO_MEMORY;
    enum pubsub_json_copied copied = copy_token(json, c, out);
    if (copied != PUBSUB_JSON_COPIED) return copied;
    comma = !starts && json->token != PUBSUB_JSON_FIELD_NAME;
    open += starts - ends;
    if (open > 0 && !pubsub_json_next(json))
      return json->out_of_memory ? PUBSUB_JSON_NO_MEMORY : PUBSUB_JSON_MALFORMED;
  } while (open > 0);
  return PUBSUB_JSON_COPIED;
}
