#include "payload/number.h"

#include "payload/ascii.h"
#include <stdlib.h>

#define TEXT_CHARS 2000
/* Powers of ten that a double holds exactly, and the largest integer up to which all are. */
static const double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
#define EXACT_POWER 22
#define EXACT_INTEGER (1ull << 53)

bool pubsub_number_long(struct pubsub_digits digits, int64_t *out) {
  uint64_t value = 0, limit = (uint64_t)INT64_MAX + digits.negative;
  if (!digits.integer || digits.text.len > 19) return false;
  for (size_t i = 0; i < digits.text.len; i++)
    value = value * 10 + (uint64_t)(digits.text.ptr[i] - '0');
  if (value > limit) return false;
  *out = (int64_t)(digits.negative ? 0 - value : value);
  return true;
}

/* Up to 19 digits and a power of ten. False: there are more, or the exponent is far away. */
static bool small(struct pubsub_view text, uint64_t *mantissa, int *power) {
  uint64_t value = 0;
  int count = 0, point = 0, exponent = 0;
  size_t i = 0;
  bool fraction = false;
  for (; i < text.len && (text.ptr[i] | 0x20) != 'e'; i++) {
    if (text.ptr[i] == '.') {
      fraction = true;
      continue;
    }
    value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    count += count > 0 || text.ptr[i] != '0';
    point += fraction;
    if (count > 19) return false;
  }
  bool minus = i + 1 < text.len && text.ptr[i + 1] == '-';
  if (i < text.len) i += 1 + (text.ptr[i + 1] == '-' || text.ptr[i + 1] == '+');
  for (; i < text.len; i++) {
    exponent = exponent * 10 + (text.ptr[i] - '0');
    if (exponent > 1000) return false;
  }
  *mantissa = value;
  *power = (minus ? -exponent : exponent) - point;
  return true;
}

/* Clinger's fast path: both parts are exact, so that one rounding gives the nearest. */
static bool exact(struct pubsub_view text, double *out) {
  uint64_t mantissa;
  int power;
  if (!small(text, &mantissa, &power) || mantissa > EXACT_INTEGER) return false;
  if (power < -EXACT_POWER || power > EXACT_POWER) return false;
  *out =
      power < 0 ? (double)mantissa / exact_powers[-power] : (double)mantissa * exact_powers[power];
  return true;
}

static bool copy(struct pubsub_view text, char out[TEXT_CHARS + 1]) {
  if (text.len > TEXT_CHARS) return false;
  memcpy(out, text.ptr, text.len);
  out[text.len] = 0;
  return true;
}

bool pubsub_number_double(struct pubsub_digits digits, locale_t c, double *out) {
  char text[TEXT_CHARS + 1];
  int64_t integer;
  double value;
  if (pubsub_number_long(digits, &integer)) {
    *out = (double)integer;
    return true;
  }
  if (!exact(digits.text, &value)) {
    if (!copy(digits.text, text)) return false;
    value = strtod_l(text, NULL, c);
  }
  *out = digits.negative ? -value : value;
  return true;
}

bool pubsub_number_float(struct pubsub_digits digits, locale_t c, float *out) {
  char text[TEXT_CHARS + 1];
  int64_t integer;
  if (pubsub_number_long(digits, &integer)) {
    *out = (float)integer;
    return true;
  }
  if (!copy(digits.text, text)) return false;
  float value = strtof_l(text, NULL, c);
  *out = digits.negative ? -value : value;
  return true;
}

/* ---- decimals ---- */

/* A decimal's parts: its digits without leading zeros (a '.' may stand among them), and how many of
 * them are before the point, which may be beyond either end. */
struct decimal {
  struct pubsub_view digits;
  int64_t point;
};

static bool exponent_of(struct pubsub_view text, int64_t *out) {
  int64_t value = 0;
  size_t i = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
  if (i == text.len) return false;
  bool minus = text.ptr[0] == '-';
  for (; i < text.len; i++) {
    if (!pubsub_is_digit(text.ptr[i])) return false;
    value = value * 10 + (text.ptr[i] - '0');
    if (value > INT32_MAX) return false;
  }
  *out = minus ? -value : value;
  return true;
}

/* Unsigned digits, a point, an exponent. False: it is none. */
static bool split(struct pubsub_view text, struct decimal *out) {
  size_t end = 0, before = 0, count = 0;
  bool point = false;
  int64_t exponent = 0;
  for (; end < text.len && (text.ptr[end] | 0x20) != 'e'; end++) {
    bool digit = pubsub_is_digit(text.ptr[end]);
    if (!digit && (point || text.ptr[end] != '.')) return false;
    point |= !digit;
    count += digit;
    before += digit && !point;
  }
  if (count == 0) return false;
  if (end < text.len &&
      !exponent_of(pubsub_view_of(text.ptr + end + 1, text.len - end - 1), &exponent))
    return false;
  out->digits = pubsub_view_of(text.ptr, end);
  out->point = (int64_t)before + exponent;
  for (; out->digits.len > 0 && (out->digits.ptr[0] == '0' || out->digits.ptr[0] == '.');) {
    out->point -= out->digits.ptr[0] == '0';
    out->digits.ptr++;
    out->digits.len--;
  }
  return true;
}

/* The first `keep` digits, zeros where there are no more, rounded half up by the next. */
static unsigned __int128 rounded(struct pubsub_view digits, int64_t keep) {
  unsigned __int128 value = 0;
  int64_t seen = 0;
  for (size_t i = 0; i < digits.len && seen <= keep; i++) {
    if (digits.ptr[i] == '.') continue;
    if (seen == keep) return value + (digits.ptr[i] >= '5');
    value = value * 10 + (unsigned)(digits.ptr[i] - '0');
    seen++;
  }
  for (; seen < keep; seen++)
    value *= 10;
  return value;
}

static bool to_decimal(struct pubsub_view text, bool negative, uint8_t precision, uint8_t scale,
                       __int128 *out) {
  struct decimal parts;
  unsigned __int128 limit = 1, value = 0;
  if (!split(text, &parts)) return false;
  int64_t keep = parts.point + scale;
  if (parts.digits.len > 0 && keep > precision) return false;
  if (parts.digits.len > 0 && keep >= 0) value = rounded(parts.digits, keep);
  for (uint8_t i = 0; i < precision; i++)
    limit *= 10;
  if (value >= limit) return false;
  *out = negative ? -(__int128)value : (__int128)value;
  return true;
}

bool pubsub_number_decimal(struct pubsub_digits digits, uint8_t precision, uint8_t scale,
                           __int128 *out) {
  return to_decimal(digits.text, digits.negative, precision, scale, out);
}

bool pubsub_number_decimal_text(struct pubsub_view text, uint8_t precision, uint8_t scale,
                                __int128 *out) {
  char plain[TEXT_CHARS];
  size_t len = 0;
  for (size_t i = 0; i < text.len; i++) {
    if (text.ptr[i] == ',') continue;
    if (len == sizeof plain) return false;
    plain[len++] = (char)text.ptr[i];
  }
  size_t sign = len > 0 && (plain[0] == '-' || plain[0] == '+');
  return to_decimal(pubsub_view_of(plain + sign, len - sign), len > 0 && plain[0] == '-', precision,
                    scale, out);
}
