#include "payload/json_scan.h"

#include "payload/java_text.h"

/* Characters of a word that Jackson shows. */
#define WORD_CHARS 256

int pubsub_json_peek(const struct pubsub_json *json) {
  const uint8_t *p = json->ptr; /* valid UTF-8 */
  if (p[0] < 0x80) return p[0];
  if (p[0] < 0xe0) return (p[0] & 0x1f) << 6 | (p[1] & 0x3f);
  if (p[0] < 0xf0) return (p[0] & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);
  return (p[0] & 7) << 18 | (p[1] & 0x3f) << 12 | (p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}

int pubsub_json_take(struct pubsub_json *json) {
  int c = pubsub_json_peek(json);
  json->ptr += c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  return c;
}

static int bad(struct pubsub_json *json, const char *why) {
  json->why = why;
  return PUBSUB_JSON_BAD;
}

static bool pass_line(struct pubsub_json *json) {
  while (json->ptr < json->end) {
    uint8_t c = *json->ptr++;
    if (c == '\n' || c == '\r') break;
    if (c < ' ' && c != '\t') return pubsub_json_fail(json, "a control character in a comment");
  }
  return true;
}

static bool pass_block(struct pubsub_json *json) {
  while (json->ptr < json->end) {
    uint8_t c = *json->ptr++;
    if (c == '*' && json->ptr < json->end && *json->ptr == '/') {
      json->ptr++;
      return true;
    }
    if (c < ' ' && c != '\t' && c != '\n' && c != '\r')
      return pubsub_json_fail(json, "a control character in a comment");
  }
  return pubsub_json_fail(json, "a comment that does not end");
}

/* Behind its first slash. */
static bool pass_comment(struct pubsub_json *json) {
  if (!(json->allow & PUBSUB_ALLOW_COMMENTS))
    return pubsub_json_fail(json, "a '/' where none may stand (a comment needs allowComments)");
  if (json->ptr == json->end) return pubsub_json_fail(json, "a comment that does not end");
  int c = pubsub_json_take(json);
  if (c == '/') return pass_line(json);
  if (c == '*') return pass_block(json);
  return pubsub_json_fail(json, "a '/' where none may stand");
}

int pubsub_json_skip_space(struct pubsub_json *json) {
  while (json->ptr < json->end) {
    uint8_t c = *json->ptr;
    if (c > ' ' && c != '/') return pubsub_json_take(json);
    json->ptr++;
    if (c == '/' && !pass_comment(json)) return PUBSUB_JSON_BAD;
    if (c < ' ' && c != '\t' && c != '\n' && c != '\r')
      return bad(json, "a control character between values");
  }
  return PUBSUB_JSON_EOF;
}

static int hex_digit(int c) {
  if (c >= '0' && c <= '9') return c - '0';
  int letter = c | 0x20;
  return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

static int hex_escape(struct pubsub_json *json) {
  int value = 0;
  for (int i = 0; i < 4; i++) {
    if (json->ptr == json->end) return bad(json, "an escape that does not end");
    int digit = hex_digit(pubsub_json_take(json));
    if (digit < 0) return bad(json, "an escape \\u without four hexadecimal digits");
    value = value << 4 | digit;
  }
  return value;
}

/* Behind the backslash: a UTF-16 unit. A character beyond it that may be escaped as it is: not
 * taken, 0x10000. */
static int escape(struct pubsub_json *json) {
  static const char from[] = "btnfr\"/\\", to[] = "\b\t\n\f\r\"/\\";
  if (json->ptr == json->end) return bad(json, "an escape that does not end");
  uint8_t c = *json->ptr;
  const char *found = c ? strchr(from, c) : NULL;
  bool any = json->allow & PUBSUB_ALLOW_BACKSLASH_ANY ||
             (c == '\'' && json->allow & PUBSUB_ALLOW_SINGLE_QUOTES);
  if (c == 'u') {
    json->ptr++;
    return hex_escape(json);
  }
  if (!found && any && c >= 0x80) return 0x10000;
  pubsub_json_take(json);
  if (found) return to[found - from];
  return any ? c : bad(json, "a backslash before a character that is not escaped");
}

/* A UTF-16 unit behind what there is: with a lone half before it, it may be a whole character. */
static size_t put_unit(struct pubsub_json *json, uint8_t *out, size_t len, unsigned unit) {
  if (unit < 0x80) {
    out[len] = (uint8_t)unit;
    return len + 1;
  }
  if (unit < 0x800) {
    out[len] = (uint8_t)(0xc0 | unit >> 6);
    out[len + 1] = (uint8_t)(0x80 | (unit & 0x3f));
    return len + 2;
  }
  if (unit >= 0xdc00 && unit < 0xe000 && len >= 3 && out[len - 3] == 0xed && out[len - 2] >= 0xa0 &&
      out[len - 2] < 0xb0) {
    unsigned high = (out[len - 2] & 0x0fu) << 6 | (out[len - 1] & 0x3fu);
    unsigned point = 0x10000 + (high << 10 | (unit - 0xdc00));
    out[len - 3] = (uint8_t)(0xf0 | point >> 18);
    out[len - 2] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
    out[len - 1] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
    out[len] = (uint8_t)(0x80 | (point & 0x3f));
    return len + 1;
  }
  if (unit >= 0xd800 && unit < 0xe000) json->wide = true;
  out[len] = (uint8_t)(0xe0 | unit >> 12);
  out[len + 1] = (uint8_t)(0x80 | (unit >> 6 & 0x3f));
  out[len + 2] = (uint8_t)(0x80 | (unit & 0x3f));
  return len + 3;
}

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

/* Of a word that was read from memory: which byte has the lowest bit that is set. */
static inline size_t first_byte(uint64_t word) {
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return (size_t)__builtin_ctzll(word) / 8;
}

/* Bytes up to the first that is the quote, a backslash or below a space. The lowest bit that says
 * so is exact, whatever those above say. */
static inline size_t plain_bytes(const uint8_t *ptr, const uint8_t *end, uint8_t quote) {
  const uint8_t *at = ptr;
  const uint64_t quotes = ONES * quote;
  for (uint64_t word; end - at >= 8; at += 8) {
    memcpy(&word, at, 8);
    uint64_t q = word ^ quotes, b = word ^ ONES * '\\';
    uint64_t found =
        (((q - ONES) & ~q) | ((b - ONES) & ~b) | ((word - ONES * ' ') & ~word)) & HIGHS;
    if (found) return (size_t)(at - ptr) + first_byte(found);
  }
  while (at < end && *at != quote && *at != '\\' && *at >= ' ')
    at++;
  return (size_t)(at - ptr);
}

/* Room for all of the payload, made before anything is handed out of it: unescaped text is never
 * longer, and nothing is read twice. */
static bool room(struct pubsub_json *json, struct pubsub_buf *buffer) {
  if (buffer->cap >= json->payload_len) return true;
  if (pubsub_buf_reserve(buffer, json->payload_len) == PUBSUB_OK) return true;
  json->out_of_memory = true;
  return pubsub_json_fail(json, "no memory");
}

/* From an escape or the end on. What stood before it is in the buffer. */
static bool quoted_slowly(struct pubsub_json *json, uint8_t quote, uint8_t *out, size_t *len) {
  while (json->ptr < json->end) {
    size_t plain = plain_bytes(json->ptr, json->end, quote);
    memcpy(out + *len, json->ptr, plain);
    *len += plain;
    json->ptr += plain;
    if (json->ptr == json->end) break;
    uint8_t c = *json->ptr++;
    if (c == quote) return true;
    if (c == '\\') {
      int unit = escape(json);
      if (unit < 0) return false;
      if (unit < 0x10000) *len = put_unit(json, out, *len, (unsigned)unit);
      if (unit == 0x10000) out[(*len)++] = *json->ptr++; /* its tail follows as it is */
    } else if (!(json->allow & PUBSUB_ALLOW_CONTROL_CHARS)) {
      return pubsub_json_fail(json, "a control character in a string");
    } else {
      out[(*len)++] = c;
    }
  }
  return pubsub_json_fail(json, "a string that does not end");
}

bool pubsub_json_quoted(struct pubsub_json *json, uint8_t quote, struct pubsub_buf *buffer,
                        struct pubsub_view *out) {
  const uint8_t *start = json->ptr;
  size_t plain = plain_bytes(start, json->end, quote);
  json->ptr += plain;
  json->wide = false;
  if (json->ptr < json->end && *json->ptr == quote) {
    json->ptr++;
    *out = pubsub_view_of(start, plain);
    return true;
  }
  if (!room(json, buffer)) return false;
  uint8_t *text = buffer->ptr + buffer->len;
  memcpy(text, start, plain);
  if (!quoted_slowly(json, quote, text, &plain)) return false;
  buffer->len += buffer == &json->names ? plain : 0; /* names stay, the last text does not */
  *out = pubsub_view_of(text, plain);
  return true;
}

bool pubsub_json_pass_string(struct pubsub_json *json) {
  json->incomplete = false;
  while (json->ptr < json->end) {
    json->ptr += plain_bytes(json->ptr, json->end, '"');
    if (json->ptr == json->end) break;
    uint8_t c = *json->ptr++;
    if (c == '"') return true;
    if (c == '\\' && escape(json) < 0) return false;
    if (c != '\\' && !(json->allow & PUBSUB_ALLOW_CONTROL_CHARS))
      return pubsub_json_fail(json, "a control character in a string");
  }
  return pubsub_json_fail(json, "a string that does not end");
}

void pubsub_json_pass_word(struct pubsub_json *json, size_t shown) {
  while (json->ptr < json->end && pubsub_java_is_identifier_part(pubsub_json_peek(json))) {
    pubsub_json_take(json);
    if (++shown >= WORD_CHARS) break;
  }
}

static int base64_value(int c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : c == '=' ? 64 : -1;
}

/* What stands in place `index` of four: 0..63, 64 for padding, -1: white space, -2: malformed.
 * -3: the end. */
static int base64_unit(struct pubsub_json *json, int index, bool whole) {
  if (json->ptr == json->end) return whole ? -3 : bad(json, "a string that does not end");
  int c = pubsub_json_take(json);
  int value = base64_value(c);
  if (c == '"' && !whole) return -3;
  if (c <= ' ') return index == 0 ? -1 : bad(json, "white space within base64");
  if (c == '\\' && !whole) {
    c = escape(json);
    if (c < 0) return PUBSUB_JSON_BAD;
    if (c <= ' ') return index == 0 ? -1 : bad(json, "white space within base64");
    value = c < 0x80 ? base64_value(c) : -1;
  }
  if (value < 0 || (value == 64 && index < 2)) return bad(json, "a character that is not base64");
  return value;
}

/* Four units at a time; `whole`: the text is all of the input, without a quote. */
static bool base64_units(struct pubsub_json *json, bool whole, uint8_t *out, size_t *out_len) {
  size_t len = 0;
  *out_len = 0;
  for (;;) {
    uint32_t bits = 0;
    int units = 0, unit = 0;
    while (units < 4) {
      unit = base64_unit(json, units, whole);
      if (unit == -1) continue;
      if (unit < 0 || unit == 64) break;
      bits = bits << 6 | (uint32_t)unit;
      units++;
    }
    if (unit == PUBSUB_JSON_BAD) return false;
    if (unit == -3 && units == 0) break;
    if (unit < 64 && units < 4) {
      json->ptr -= !whole && units > 1; /* Jackson stays before the quote then */
      return pubsub_json_fail(json, "base64 without its padding");
    }
    if (units == 2 && base64_unit(json, 3, whole) != 64)
      return pubsub_json_fail(json, "base64 without its padding");
    bits <<= 6 * (4 - units);
    for (int i = 0; i < units - 1; i++)
      out[len++] = (uint8_t)(bits >> (16 - 8 * i));
  }
  *out_len = len;
  return true;
}

bool pubsub_json_base64(struct pubsub_json *json, uint8_t *out, size_t *out_len) {
  if (json->incomplete) { /* an error leaves it so: the rest of the string is passed later */
    if (!base64_units(json, false, out, out_len)) return false;
    json->incomplete = false;
    return true;
  }
  struct pubsub_json inner = {.ptr = json->text.ptr, .end = json->text.ptr + json->text.len};
  bool done = base64_units(&inner, true, out, out_len);
  json->why = done ? json->why : inner.why;
  return done;
}
