#include "payload/java_text.h"

#include "payload/ascii.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool is_tail(uint8_t byte) {
  return (byte & 0xc0) == 0x80;
}

/* Bytes that the JDK's decoder takes at once: of a character (*good), or of what is malformed. */
static size_t take3(const uint8_t *p, size_t len, bool *good) {
  bool first = len > 1 && is_tail(p[1]) && !(p[0] == 0xe0 && p[1] < 0xa0);
  if (!first) return 1;
  if (len < 3 || !is_tail(p[2])) return 2;
  *good = !(p[0] == 0xed && p[1] > 0x9f); /* half of a surrogate pair: one U+FFFD for the three */
  return 3;
}

static size_t take4(const uint8_t *p, size_t len, bool *good) {
  bool first = len > 1 && is_tail(p[1]) && !(p[0] == 0xf0 && p[1] < 0x90) &&
               !(p[0] == 0xf4 && p[1] > 0x8f) && p[0] <= 0xf4;
  if (!first) return 1;
  if (len < 3 || !is_tail(p[2])) return 2;
  if (len < 4 || !is_tail(p[3])) return 3;
  *good = true;
  return 4;
}

static size_t take(const uint8_t *p, size_t len, bool *good) {
  *good = p[0] < 0x80;
  if (*good) return 1;
  if (p[0] >= 0xc2 && p[0] <= 0xdf) {
    *good = len > 1 && is_tail(p[1]);
    return *good ? 2 : 1;
  }
  if (p[0] >= 0xe0 && p[0] <= 0xef) return take3(p, len, good);
  return p[0] >= 0xf0 && p[0] <= 0xf7 ? take4(p, len, good) : 1;
}

size_t pubsub_java_repair(struct pubsub_view in, uint8_t *out) {
  static const uint8_t replacement[3] = {0xef, 0xbf, 0xbd};
  size_t total = 0;
  for (size_t at = 0; at < in.len;) {
    bool good;
    size_t taken = take(in.ptr + at, in.len - at, &good);
    size_t put = good ? taken : sizeof replacement;
    memcpy(out + total, good ? in.ptr + at : replacement, put);
    total += put;
    at += taken;
  }
  return total;
}

size_t pubsub_java_narrow(uint8_t *text, size_t len) {
  size_t total = 0;
  for (size_t at = 0; at < len;) {
    bool half = text[at] == 0xed && at + 2 < len && text[at + 1] > 0x9f;
    text[total++] = half ? '?' : text[at];
    at += half ? 3 : 1;
  }
  return total;
}

static bool is_letter_beyond_ascii(int c) {
  if (c < 0xa0 || c > 0xffff) return false;
  if (c < 0xc0) return (c >= 0xa2 && c <= 0xa5) || c == 0xaa || c == 0xb5 || c == 0xba;
  if (c == 0xd7 || c == 0xf7 || (c >= 0xd800 && c < 0xe000)) return false;
  if (c >= 0x2000 && c < 0x2070) return c == 0x203f || c == 0x2040 || c == 0x2054;
  return c < 0xfff0;
}

bool pubsub_java_is_identifier_start(int c) {
  return pubsub_is_letter(c) || c == '_' || c == '$' || is_letter_beyond_ascii(c);
}

bool pubsub_java_is_identifier_part(int c) {
  bool ignorable = c <= 8 || (c >= 0x0e && c <= 0x1b) || (c >= 0x7f && c < 0xa0) || c == 0xad ||
                   c == 0xfeff || (c >= 0x200b && c < 0x2010) || (c >= 0x202a && c < 0x202f);
  return pubsub_java_is_identifier_start(c) || pubsub_is_digit(c) || ignorable;
}

/* The digits of the shortest decimal that reads as the value, at least two, and its exponent. */
static int shortest(double value, char digits[32], int *exponent) {
  char text[40];
  int count = 2;
  for (; count < 17; count++) {
    snprintf(text, sizeof text, "%.*e", count - 1, value);
    if (strtod(text, NULL) == value) break;
  }
  if (count == 17) snprintf(text, sizeof text, "%.16e", value);
  *exponent = atoi(strchr(text, 'e') + 1);
  digits[0] = text[0];
  memcpy(digits + 1, text + 2, (size_t)count - 1); /* whatever the locale's point is */
  while (count > 2 && digits[count - 1] == '0')
    count--;
  return count;
}

static size_t put_plain(const char *digits, int count, int exponent, char *out) {
  size_t len = 0;
  if (exponent < 0) {
    len = (size_t)sprintf(out, "0.");
    for (int i = -1; i > exponent; i--)
      out[len++] = '0';
    if (count == 2 && digits[1] == '0') count = 1;
    memcpy(out + len, digits, (size_t)count);
    return len + (size_t)count;
  }
  for (int i = 0; i < count || i <= exponent + 1; i++) {
    if (i == exponent + 1) out[len++] = '.';
    out[len++] = i < count ? digits[i] : '0';
  }
  return len;
}

size_t pubsub_java_double(double value, char out[PUBSUB_JAVA_DOUBLE_CHARS]) {
  char digits[32];
  int exponent = 0;
  size_t sign = signbit(value) && !isnan(value) ? 1 : 0;
  if (isnan(value)) return (size_t)sprintf(out, "NaN");
  if (sign) out[0] = '-';
  value = fabs(value);
  if (isinf(value)) return sign + (size_t)sprintf(out + sign, "Infinity");
  if (value == 0) return sign + (size_t)sprintf(out + sign, "0.0");
  int count = shortest(value, digits, &exponent);
  if (exponent >= -3 && exponent < 7) return sign + put_plain(digits, count, exponent, out + sign);
  size_t len = put_plain(digits, count, 0, out + sign);
  return sign + len + (size_t)sprintf(out + sign + len, "E%d", exponent);
}
