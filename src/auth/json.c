#include "auth/json.h"

#define MAX_DEPTH 32

static void skip_space(struct pubsub_view *at) {
  while (at->len > 0 && memchr(" \t\r\n", *at->ptr, 4))
    *at = pubsub_view_of(at->ptr + 1, at->len - 1);
}

static bool take(struct pubsub_view *at, char c) {
  skip_space(at);
  if (at->len == 0 || *at->ptr != (uint8_t)c) return false;
  *at = pubsub_view_of(at->ptr + 1, at->len - 1);
  return true;
}

/* A string with its quotes. */
static bool take_string(struct pubsub_view *at, struct pubsub_view *out) {
  skip_space(at);
  if (at->len == 0 || *at->ptr != '"') return false;
  for (size_t i = 1; i < at->len; i++) {
    if (at->ptr[i] == '\\') {
      i++;
    } else if (at->ptr[i] == '"') {
      *out = pubsub_view_of(at->ptr, i + 1);
      *at = pubsub_view_of(at->ptr + i + 1, at->len - i - 1);
      return true;
    }
  }
  return false;
}

/* Numbers, true, false, null: what is no structure. */
static bool take_word(struct pubsub_view *at, struct pubsub_view *out) {
  size_t len = 0;
  while (len < at->len && !memchr(" \t\r\n,:{}[]\"", at->ptr[len], 11))
    len++;
  *out = pubsub_view_of(at->ptr, len);
  *at = pubsub_view_of(at->ptr + len, at->len - len);
  return len > 0;
}

static bool take_value(struct pubsub_view *at, struct pubsub_view *out, int depth);

static bool take_list(struct pubsub_view *at, char end, int depth) {
  struct pubsub_view ignored;
  if (depth >= MAX_DEPTH) return false;
  if (take(at, end)) return true;
  do {
    if (end == '}' && (!take_string(at, &ignored) || !take(at, ':'))) return false;
    if (!take_value(at, &ignored, depth + 1)) return false;
  } while (take(at, ','));
  return take(at, end);
}

static bool take_value(struct pubsub_view *at, struct pubsub_view *out, int depth) {
  skip_space(at);
  const uint8_t *begin = at->ptr;
  if (at->len == 0) return false;
  if (*begin == '"') return take_string(at, out);
  if (*begin != '{' && *begin != '[') return take_word(at, out);
  char end = *begin == '{' ? '}' : ']';
  *at = pubsub_view_of(at->ptr + 1, at->len - 1);
  if (!take_list(at, end, depth)) return false;
  *out = pubsub_view_of(begin, (size_t)(at->ptr - begin));
  return true;
}

/* Names of credentials have no escapes. */
static bool is_name(struct pubsub_view quoted, const char *name) {
  return pubsub_view_equal(pubsub_view_of(quoted.ptr + 1, quoted.len - 2), pubsub_view_str(name));
}

bool pubsub_json_member(struct pubsub_view text, const char *name, struct pubsub_view *out_value) {
  struct pubsub_view key, value;
  if (!take(&text, '{')) return false;
  while (take_string(&text, &key) && take(&text, ':') && take_value(&text, &value, 0)) {
    if (is_name(key, name)) {
      *out_value = value;
      return true;
    }
    if (!take(&text, ',')) return false;
  }
  return false;
}

static int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Of the Basic Multilingual Plane; a half of a pair comes out as it is, which no credential has. */
static size_t put_utf8(uint32_t code, uint8_t out[3]) {
  if (code < 0x80) {
    out[0] = (uint8_t)code;
    return 1;
  }
  if (code < 0x800) {
    out[0] = (uint8_t)(0xc0 | code >> 6);
    out[1] = (uint8_t)(0x80 | (code & 63));
    return 2;
  }
  out[0] = (uint8_t)(0xe0 | code >> 12);
  out[1] = (uint8_t)(0x80 | (code >> 6 & 63));
  out[2] = (uint8_t)(0x80 | (code & 63));
  return 3;
}

/* The character behind a backslash at `in`; returns how many bytes of `in` it took, 0:
 * malformed. */
static size_t unescape(struct pubsub_view in, uint8_t out[3], size_t *out_len) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  const char *known = in.len > 0 && in.ptr[0] ? strchr(from, in.ptr[0]) : NULL;
  if (known) {
    out[0] = (uint8_t)to[known - from];
    *out_len = 1;
    return 1;
  }
  if (in.len < 5 || in.ptr[0] != 'u') return 0;
  uint32_t code = 0;
  for (size_t i = 1; i < 5; i++) {
    int digit = hex_digit(in.ptr[i]);
    if (digit < 0) return 0;
    code = code << 4 | (uint32_t)digit;
  }
  *out_len = put_utf8(code, out);
  return 5;
}

enum pubsub_status pubsub_json_string(struct pubsub_view text, const char *name,
                                      struct pubsub_buf *out) {
  struct pubsub_view value;
  out->len = 0;
  if (!pubsub_json_member(text, name, &value) || *value.ptr != '"') return PUBSUB_E_GONE;
  if (pubsub_buf_reserve(out, value.len) != PUBSUB_OK) return PUBSUB_E_NOMEM; /* never longer */
  for (size_t i = 1; i < value.len - 1;) {
    size_t len = 1, used = 1;
    if (value.ptr[i] == '\\') {
      used =
          unescape(pubsub_view_of(value.ptr + i + 1, value.len - i - 2), out->ptr + out->len, &len);
      if (used == 0) return PUBSUB_E_GONE;
      used++;
    } else {
      out->ptr[out->len] = value.ptr[i];
    }
    out->len += len;
    i += used;
  }
  out->ptr[out->len] = '\0';
  return PUBSUB_OK;
}

bool pubsub_json_number(struct pubsub_view text, const char *name, uint64_t *out) {
  struct pubsub_view value;
  if (!pubsub_json_member(text, name, &value)) return false;
  *out = 0;
  size_t i = 0;
  for (; i < value.len && value.ptr[i] >= '0' && value.ptr[i] <= '9'; i++) {
    if (*out > UINT64_MAX / 100) return false;
    *out = *out * 10 + (uint64_t)(value.ptr[i] - '0');
  }
  return i > 0 && (i == value.len || value.ptr[i] == '.');
}
