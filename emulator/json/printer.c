#include "json/printer.h"

#include "base/text.h"
#include "base/utf8.h"
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum pubsub_status json_print(struct pubsub_buf *out, const char *text) {
  return pubsub_buf_append(out, text, strlen(text));
}

/* ---- strings ---- */

static bool is_plain(uint8_t c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' && c != '>' && c != 0x7f;
}

static enum pubsub_status print_escape(struct pubsub_buf *out, uint8_t c) {
  static const char letters[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
  const char *letter = c ? strchr(letters, c) : NULL;
  char text[8];
  if (letter) {
    snprintf(text, sizeof text, "\\%c", names[letter - letters]);
  } else {
    snprintf(text, sizeof text, "\\u%04x", c);
  }
  return json_print(out, text);
}

/* Of a character beyond ASCII. 0: there is none. */
static size_t character_bytes(const uint8_t *at, const uint8_t *end) {
  size_t len = *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
  return (size_t)(end - at) >= len && pubsub_utf8_valid(at, len) ? len : 0;
}

static enum pubsub_status print_special(struct pubsub_buf *out, const uint8_t **at,
                                        const uint8_t *end) {
  size_t len = **at < 0x80 ? 1 : character_bytes(*at, end);
  const uint8_t *start = *at;
  *at += len ? len : 1;
  if (len == 0) return json_print(out, "\\ufffd");
  return len == 1 ? print_escape(out, *start) : pubsub_buf_append(out, start, len);
}

enum pubsub_status json_print_string(struct pubsub_buf *out, struct pubsub_view text) {
  const uint8_t *at = text.ptr, *end = text.ptr + text.len;
  enum pubsub_status status = json_print(out, "\"");
  while (at < end && status == PUBSUB_OK) {
    const uint8_t *start = at;
    while (at < end && is_plain(*at))
      at++;
    status = pubsub_buf_append(out, start, (size_t)(at - start));
    if (status == PUBSUB_OK && at < end) status = print_special(out, &at, end);
  }
  return status == PUBSUB_OK ? json_print(out, "\"") : status;
}

enum pubsub_status json_print_base64(struct pubsub_buf *out, struct pubsub_view bytes) {
  size_t chars = PUBSUB_BASE64_CHARS(bytes.len);
  enum pubsub_status status = pubsub_buf_reserve(out, chars + 3);
  if (status != PUBSUB_OK) return status;
  out->ptr[out->len++] = '"';
  pubsub_base64_encode(bytes, true, (char *)out->ptr + out->len, chars + 1);
  out->len += chars;
  out->ptr[out->len++] = '"';
  return PUBSUB_OK;
}

/* ---- numbers, names ---- */

enum pubsub_status json_print_integer(struct pubsub_buf *out, int64_t number) {
  char text[24];
  snprintf(text, sizeof text, "%" PRId64, number);
  return json_print(out, text);
}

/* With as many digits as it takes to read the same number again. */
enum pubsub_status json_print_double(struct pubsub_buf *out, double number) {
  char text[40];
  if (isnan(number)) return json_print(out, "\"NaN\"");
  if (isinf(number)) return json_print(out, number > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  for (int digits = 15; digits <= 17; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, number);
    if (strtod(text, NULL) == number) break;
  }
  return json_print(out, text);
}

enum pubsub_status json_print_name(struct pubsub_buf *out, const char *name) {
  enum pubsub_status status = pubsub_buf_reserve(out, strlen(name) + 3);
  if (status != PUBSUB_OK) return status;
  out->ptr[out->len++] = '"';
  for (; *name; name++) {
    bool upper = *name == '_' && name[1];
    if (upper) name++;
    out->ptr[out->len++] = upper ? (uint8_t)toupper((unsigned char)*name) : (uint8_t)*name;
  }
  return pubsub_buf_append(out, "\":", 2);
}
