#include "base/text.h"

#include "base/alloc.h"

char *pubsub_text_copy(const char *text) {
  size_t bytes = strlen(text) + 1;
  char *copy = pubsub_alloc(bytes);
  if (copy) memcpy(copy, text, bytes);
  return copy;
}

bool pubsub_text_is_header_value(const char *text) {
  size_t len = strlen(text);
  for (size_t i = 0; i < len; i++) {
    if (text[i] < ' ' || text[i] > '~') return false;
  }
  return len > 0 && text[0] != ' ' && text[len - 1] != ' ';
}

static int hex_digit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* ---- percent-encoding ---- */

static bool is_unreserved(uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '~';
}

size_t pubsub_percent_encode(struct pubsub_view in, char *out) {
  static const char digits[] = "0123456789ABCDEF";
  size_t len = 0;
  for (size_t i = 0; i < in.len; i++) {
    uint8_t c = in.ptr[i];
    if (is_unreserved(c)) {
      out[len++] = (char)c;
    } else {
      out[len++] = '%';
      out[len++] = digits[c >> 4];
      out[len++] = digits[c & 15];
    }
  }
  return len;
}

/* The byte that %XX at `at` stands for; -1: no such thing is there. */
static int escaped_byte(struct pubsub_view in, size_t at) {
  if (in.ptr[at] != '%' || in.len - at < 3) return -1;
  int high = hex_digit(in.ptr[at + 1]), low = hex_digit(in.ptr[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

bool pubsub_percent_decode(struct pubsub_view in, uint8_t *out, size_t out_bytes, size_t *out_len) {
  size_t len = 0;
  for (size_t i = 0; i < in.len; i++) {
    int byte = escaped_byte(in, i);
    if (len == out_bytes || (byte < 0 && in.ptr[i] == '%')) return false;
    out[len++] = byte < 0 ? in.ptr[i] : (uint8_t)byte;
    if (byte >= 0) i += 2;
  }
  *out_len = len;
  return true;
}

void pubsub_percent_decode_cut(struct pubsub_view in, char *out, size_t out_bytes) {
  size_t len = 0;
  for (size_t i = 0; i < in.len && len + 1 < out_bytes; i++) {
    int byte = escaped_byte(in, i);
    if (byte >= 0) i += 2;
    if (byte < 0) byte = in.ptr[i];
    out[len++] = byte ? (char)byte : ' ';
  }
  out[len] = '\0';
}

/* ---- base64 ---- */

bool pubsub_base64_encode(struct pubsub_view in, bool pad, char *out, size_t out_bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (out_bytes > 0) *out = '\0';
  if (in.len > SIZE_MAX / 2 || PUBSUB_BASE64_CHARS(in.len) >= out_bytes) return false;
  for (size_t i = 0; i < in.len; i += 3) {
    size_t left = in.len - i;
    uint32_t bits = (uint32_t)in.ptr[i] << 16 | (left > 1 ? (uint32_t)in.ptr[i + 1] << 8 : 0) |
                    (left > 2 ? in.ptr[i + 2] : 0);
    *out++ = digits[bits >> 18];
    *out++ = digits[bits >> 12 & 63];
    if (left > 1 || pad) *out++ = left > 1 ? digits[bits >> 6 & 63] : '=';
    if (left > 2 || pad) *out++ = left > 2 ? digits[bits & 63] : '=';
  }
  *out = '\0';
  return true;
}

static int base64_digit(uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

enum pubsub_status pubsub_base64_decode(struct pubsub_view in, struct pubsub_buf *out) {
  uint32_t bits = 0;
  int bit_count = 0, digit;
  out->len = 0;
  if (pubsub_buf_reserve(out, in.len) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  for (size_t i = 0; i < in.len && (digit = base64_digit(in.ptr[i])) >= 0; i++) {
    bits = bits << 6 | (uint32_t)digit;
    bit_count += 6;
    if (bit_count < 8) continue;
    bit_count -= 8;
    out->ptr[out->len++] = (uint8_t)(bits >> bit_count);
  }
  return PUBSUB_OK;
}
