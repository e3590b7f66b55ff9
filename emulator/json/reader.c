#include "json/reader.h"

#include "base/error.h"
#include "base/utf8.h"
#include <stdarg.h>
#include <stdio.h>

#define MAX_DEPTH 64

void json_init(struct json *json, struct pubsub_view text, struct pubsub_error *error) {
  *json =
      (struct json){.begin = text.ptr, .at = text.ptr, .end = text.ptr + text.len, .error = error};
}

bool json_fail(struct json *json, const char *format, ...) {
  char what[400];
  size_t line = 1, column = 1;
  va_list args;
  if (json->failed) return false;
  json->failed = true;
  for (const uint8_t *at = json->begin; at < json->at; at++) {
    line += *at == '\n';
    column = *at == '\n' ? 1 : column + 1;
  }
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  pubsub_error_set(json->error, PUBSUB_E_INVALID, "line %zu, column %zu: %s", line, column, what);
  return false;
}

static void skip_blanks(struct json *json) {
  while (json->at < json->end &&
         (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r')) {
    json->at++;
  }
}

/* The next byte that is no blank; 0: there is none. */
static uint8_t next(struct json *json) {
  skip_blanks(json);
  return json->at < json->end ? *json->at : 0;
}

enum json_kind json_peek(struct json *json) {
  uint8_t c = next(json);
  if (c == '{') return JSON_OBJECT;
  if (c == '[') return JSON_ARRAY;
  if (c == '"') return JSON_STRING;
  if (c == '-' || (c >= '0' && c <= '9')) return JSON_NUMBER;
  if (c == 't' || c == 'f') return JSON_BOOL;
  return c == 'n' ? JSON_NULL : JSON_BAD;
}

bool json_enter(struct json *json, char open) {
  if (json->failed) return false;
  if (next(json) != (uint8_t)open) return json_fail(json, "expected %c", open);
  if (++json->depth > MAX_DEPTH) return json_fail(json, "nested too deeply");
  json->at++;
  json->first = true;
  return true;
}

bool json_more(struct json *json, char close) {
  bool first = json->first;
  if (json->failed) return false;
  json->first = false;
  if (next(json) == (uint8_t)close) {
    json->at++;
    json->depth--;
    return false;
  }
  if (first) return true;
  if (next(json) != ',') return json_fail(json, "expected a comma or %c", close);
  json->at++;
  return next(json) == (uint8_t)close ? json_fail(json, "a comma before %c", close) : true;
}

/* ---- strings ---- */

static bool take_hex4(struct json *json, uint32_t *out) {
  *out = 0;
  for (int i = 0; i < 4; i++, json->at++) {
    uint8_t c = json->at < json->end ? *json->at : 0;
    uint32_t digit = c >= '0' && c <= '9'   ? c - (uint32_t)'0'
                     : c >= 'a' && c <= 'f' ? c - (uint32_t)'a' + 10
                     : c >= 'A' && c <= 'F' ? c - (uint32_t)'A' + 10
                                            : 16;
    if (digit == 16) return json_fail(json, "\\u wants four hexadecimal digits");
    *out = *out << 4 | digit;
  }
  return true;
}

/* After \u: a code point, of two halves where it is beyond 16 bits. */
static bool take_code(struct json *json, uint32_t *out) {
  uint32_t low;
  if (!take_hex4(json, out)) return false;
  if (*out == 0 || (*out >= 0xdc00 && *out <= 0xdfff)) {
    return json_fail(json, "\\u%04x is no character", *out);
  }
  if (*out < 0xd800 || *out > 0xdbff) return true;
  if (json->end - json->at < 2 || json->at[0] != '\\' || json->at[1] != 'u') {
    return json_fail(json, "half a surrogate pair");
  }
  json->at += 2;
  if (!take_hex4(json, &low)) return false;
  if (low < 0xdc00 || low > 0xdfff) return json_fail(json, "half a surrogate pair");
  *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
  return true;
}

static bool append_code(struct json *json, struct pubsub_buf *out, uint32_t code) {
  uint8_t bytes[4] = {(uint8_t)code};
  size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  if (len > 1) {
    for (size_t i = len; i-- > 1; code >>= 6)
      bytes[i] = (uint8_t)(0x80 | (code & 0x3f));
    bytes[0] = (uint8_t)(0xf00 >> len | code);
  }
  return pubsub_buf_append(out, bytes, len) == PUBSUB_OK || json_fail(json, "out of memory");
}

static bool take_escape(struct json *json, struct pubsub_buf *out) {
  static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  uint8_t c = json->at < json->end ? *json->at : 0;
  uint32_t code;
  const char *letter = c ? strchr(letters, c) : NULL;
  if (!letter && c != 'u') return json_fail(json, "a backslash is followed by none of \"\\/bfnrtu");
  json->at++;
  if (letter) return append_code(json, out, (uint8_t)values[letter - letters]);
  return take_code(json, &code) && append_code(json, out, code);
}

/* What stands for itself, at once: payloads are long. */
static bool take_plain(struct json *json, struct pubsub_buf *out) {
  const uint8_t *start = json->at;
  while (json->at < json->end && *json->at >= 0x20 && *json->at != '"' && *json->at != '\\')
    json->at++;
  return pubsub_buf_append(out, start, (size_t)(json->at - start)) == PUBSUB_OK ||
         json_fail(json, "out of memory");
}

bool json_string(struct json *json, struct pubsub_buf *out) {
  out->len = 0;
  if (json->failed) return false;
  if (next(json) != '"') return json_fail(json, "expected a string");
  json->at++;
  while (json->at < json->end && *json->at != '"') {
    if (*json->at < 0x20) return json_fail(json, "a control character in a string");
    if (*json->at != '\\') {
      if (!take_plain(json, out)) return false;
      continue;
    }
    json->at++;
    if (!take_escape(json, out)) return false;
  }
  if (json->at == json->end) return json_fail(json, "a string is not ended");
  json->at++;
  if (pubsub_buf_append(out, "", 1) != PUBSUB_OK) return json_fail(json, "out of memory");
  out->len--;
  return pubsub_utf8_valid(out->ptr, out->len) || json_fail(json, "a string is not valid UTF-8");
}

bool json_key(struct json *json, struct pubsub_buf *out) {
  if (!json_string(json, out)) return false;
  if (next(json) != ':') return json_fail(json, "expected a colon");
  json->at++;
  return true;
}

/* ---- the others ---- */

static bool take_digits(struct json *json) {
  const uint8_t *start = json->at;
  while (json->at < json->end && *json->at >= '0' && *json->at <= '9')
    json->at++;
  return json->at > start;
}

static bool take_byte(struct json *json, const char *among) {
  if (json->at == json->end || !*json->at || !strchr(among, *json->at)) return false;
  json->at++;
  return true;
}

bool json_number(struct json *json, struct pubsub_view *out) {
  if (json->failed) return false;
  if (json_peek(json) != JSON_NUMBER) return json_fail(json, "expected a number");
  const uint8_t *start = json->at;
  take_byte(json, "-");
  bool zero = take_byte(json, "0");
  bool good = zero ? true : take_digits(json);
  if (good && take_byte(json, ".")) good = take_digits(json);
  if (good && take_byte(json, "eE")) {
    take_byte(json, "+-");
    good = take_digits(json);
  }
  if (!good || (json->at < json->end && *json->at >= '0' && *json->at <= '9')) {
    return json_fail(json, "this is not a number");
  }
  *out = pubsub_view_of(start, (size_t)(json->at - start));
  return true;
}

static bool take_word(struct json *json, const char *word) {
  size_t len = strlen(word);
  if (json->failed) return false;
  skip_blanks(json);
  if ((size_t)(json->end - json->at) < len || memcmp(json->at, word, len) != 0) return false;
  json->at += len;
  return true;
}

bool json_bool(struct json *json, bool *out) {
  *out = take_word(json, "true");
  return *out || take_word(json, "false") || json_fail(json, "expected true or false");
}

bool json_null(struct json *json) {
  return take_word(json, "null") || json_fail(json, "expected null");
}

bool json_end(struct json *json) {
  if (json->failed) return false;
  skip_blanks(json);
  return json->at == json->end || json_fail(json, "unexpected text at the end");
}
