#include "payload/datetime.h"

#include "payload/ascii.h"
#include <ctype.h>

#define DAY_S 86400
#define SECOND_US 1000000
#define SEGMENTS 9
#define ZONE_CHARS 64

/* A timestamp in its parts. */
struct parts {
  int32_t segments[SEGMENTS]; /* year month day hour minute second µs, and two of a zone */
  struct pubsub_view zone;    /* ptr NULL: none */
  bool just_time;
};

static bool is_trimmed(uint8_t c) {
  return c <= ' ' || c == 0x7f;
}

static struct pubsub_view trim(struct pubsub_view text) {
  while (text.len > 0 && is_trimmed(text.ptr[0])) {
    text.ptr++;
    text.len--;
  }
  while (text.len > 0 && is_trimmed(text.ptr[text.len - 1]))
    text.len--;
  return text;
}

static bool days_of(int64_t year, int32_t month, int32_t day, int64_t *out) {
  static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1) return false;
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > lengths[month - 1] + (month == 2 && leap)) return false;
  int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  *out = era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
  return true;
}

/* ---- dates ---- */

static bool date_digits(int segment, int digits) {
  return segment == 0 ? digits >= 4 && digits <= 7 : digits > 0 && digits <= 2;
}

bool pubsub_datetime_date(struct pubsub_view text, int32_t *days) {
  int32_t segments[3] = {1, 1, 1}, value = 0;
  int i = 0, digits = 0;
  size_t j = 0;
  int64_t out;
  text = trim(text);
  if (text.len == 0) return false;
  bool minus = text.ptr[0] == '-';
  if (minus || text.ptr[0] == '+') j++;
  for (; j < text.len && text.ptr[j] != ' ' && text.ptr[j] != 'T'; j++) {
    uint8_t c = text.ptr[j];
    if (i < 2 && c == '-') {
      if (!date_digits(i, digits)) return false;
      segments[i++] = value;
      value = digits = 0;
    } else {
      if (!pubsub_is_digit(c) || digits > 7) return false;
      value = value * 10 + (c - '0');
      digits++;
    }
  }
  if (!date_digits(i, digits) || (i < 2 && j < text.len)) return false;
  segments[i] = value;
  int64_t year = minus ? -(int64_t)segments[0] : segments[0];
  if (!days_of(year, segments[1], segments[2], &out)) return false;
  *days = (int32_t)out;
  return true;
}

int32_t pubsub_datetime_rebase(int32_t julian_days) {
  /* From each of these days on, of the Julian calendar, the difference is so many days. */
  static const int32_t switches[] = {-719164, -682945, -646420, -609895, -536845, -500320, -463795,
                                     -390745, -354220, -317695, -244645, -208120, -171595, -141427};
  static const int32_t differences[] = {2, 1, 0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, 0};
  if (julian_days < switches[0]) { /* before year 1: the calendars' rules themselves */
    int64_t j = (int64_t)julian_days + 719470, year, month, day, out = 0;
    int64_t cycle = (j >= 0 ? j : j - 1460) / 1461, of_cycle = j - cycle * 1461;
    int64_t y = (of_cycle - of_cycle / 1460) / 365, of_year = of_cycle - 365 * y;
    int64_t m = (5 * of_year + 2) / 153;
    day = of_year - (153 * m + 2) / 5 + 1;
    month = m + (m < 10 ? 3 : -9);
    year = cycle * 4 + y + (month <= 2);
    return days_of(year, (int32_t)month, (int32_t)day, &out) ? (int32_t)out : julian_days;
  }
  size_t i = sizeof switches / sizeof *switches - 1;
  while (i > 0 && julian_days < switches[i])
    i--;
  return julian_days + differences[i];
}

/* ---- timestamps ---- */

static bool time_digits(int segment, int digits) {
  if (segment == 6) return true;
  if (segment == 0) return digits >= 4 && digits <= 6;
  return digits <= 2 && (segment == 7 || digits > 0);
}

/* How Spark walks over a timestamp: segment by segment. */
struct walk {
  int i, digits, fraction_digits;
  int32_t value;
  struct parts *out;
};

static bool finish_segment(struct walk *w, int next) {
  if (!time_digits(w->i, w->digits)) return false;
  w->out->segments[w->i] = w->value;
  w->value = w->digits = 0;
  w->i = next;
  return true;
}

/* A character that is no digit, at text.ptr[*j]. */
static bool separator(struct walk *w, struct pubsub_view text, size_t *j, bool signed_year) {
  uint8_t c = text.ptr[*j];
  bool dot = c == '.' && w->i == 5;
  if (*j == 0 && c == 'T') {
    w->out->just_time = true;
    w->i += 3;
    return true;
  }
  switch (w->i) {
  case 0:
    if (c == ':' && !signed_year) {
      w->out->just_time = true;
      w->i = 3; /* what was taken for a year are the hours */
      return finish_segment(w, 4);
    }
    /* fall through */
  case 1:
    return c == '-' && finish_segment(w, w->i + 1);
  case 2:
    return (c == ' ' || c == 'T') && finish_segment(w, 3);
  case 3:
  case 4:
    return c == ':' && finish_segment(w, w->i + 1);
  case 5:
  case 6:
    if (!finish_segment(w, w->i + 1)) return false;
    if (!dot) {
      w->out->zone = pubsub_view_of(text.ptr + *j, text.len - *j);
      *j = text.len - 1;
    }
    w->i += w->i == 6 && c != '.';
    return true;
  default:
    return w->i < SEGMENTS && (c == ':' || c == ' ') && finish_segment(w, w->i + 1);
  }
}

static bool split(struct pubsub_view text, struct parts *out) {
  struct walk w = {.out = out};
  *out = (struct parts){.segments = {1, 1, 1}};
  text = trim(text);
  if (text.len == 0) return false;
  bool sign = text.ptr[0] == '-' || text.ptr[0] == '+';
  for (size_t j = sign; j < text.len; j++) {
    unsigned digit = (unsigned)text.ptr[j] - '0';
    if (digit >= 10) {
      if (!separator(&w, text, &j, sign)) return false;
      continue;
    }
    w.fraction_digits += w.i == 6;
    if (w.i != 6 ? w.digits < 7 : w.digits < 6) w.value = w.value * 10 + (int32_t)digit;
    w.digits += w.digits < 100;
  }
  if (w.i >= SEGMENTS || !time_digits(w.i, w.digits)) return false;
  out->segments[w.i] = w.value;
  for (; w.fraction_digits < 6; w.fraction_digits++)
    out->segments[6] *= 10;
  if (text.ptr[0] == '-') out->segments[0] = -out->segments[0];
  return true;
}

static bool local_us(const struct parts *parts, int64_t days, int64_t *out) {
  const int32_t *s = parts->segments;
  if (s[3] > 23 || s[4] > 59 || s[5] > 59) return false;
  *out = ((days * 24 + s[3]) * 60 + s[4]) * 60 + s[5];
  return true;
}

/* Two digits in front of *text, taken. -1: there are none. */
static int two_digits(struct pubsub_view *text) {
  if (text->len < 2 || !pubsub_is_digit(text->ptr[0]) || !pubsub_is_digit(text->ptr[1])) return -1;
  int value = (text->ptr[0] - '0') * 10 + (text->ptr[1] - '0');
  text->ptr += 2;
  text->len -= 2;
  return value;
}

/* java.time.ZoneOffset.of, without Z: ±h, ±hh, ±hhmm, ±hh:mm, ±hhmmss, ±hh:mm:ss. */
static bool zone_offset(struct pubsub_view text, int32_t *out) {
  int values[3] = {0, 0, 0};
  if (text.len < 2 || (text.ptr[0] != '-' && text.ptr[0] != '+')) return false;
  bool minus = text.ptr[0] == '-';
  bool colons = text.len > 3 && text.ptr[3] == ':';
  if (text.len == 2 && pubsub_is_digit(text.ptr[1])) {
    *out = (minus ? -3600 : 3600) * (text.ptr[1] - '0');
    return true;
  }
  text = pubsub_view_of(text.ptr + 1, text.len - 1);
  for (int i = 0; i < 3 && (i == 0 || text.len > 0); i++) {
    if (i > 0 && colons) {
      if (text.ptr[0] != ':') return false;
      text = pubsub_view_of(text.ptr + 1, text.len - 1);
    }
    values[i] = two_digits(&text);
    if (values[i] < 0) return false;
  }
  int32_t seconds = (values[0] * 60 + values[1]) * 60 + values[2];
  if (text.len > 0 || values[1] > 59 || values[2] > 59 || seconds > 18 * 3600) return false;
  *out = minus ? -seconds : seconds;
  return true;
}

static bool is_digit_at(struct pubsub_view text, size_t at) {
  return at < text.len && pubsub_is_digit(text.ptr[at]);
}

/* Spark reads ±h:… as ±0h:…, and a last minute of one digit as of two. */
static struct pubsub_view widen(struct pubsub_view text, uint8_t out[ZONE_CHARS]) {
  size_t len = text.len;
  memcpy(out, text.ptr, len);
  for (size_t i = 0; i + 2 < len; i++) {
    if ((out[i] == '+' || out[i] == '-') && is_digit_at(text, i + 1) && out[i + 2] == ':') {
      memmove(out + i + 2, out + i + 1, len++ - i - 1);
      out[i + 1] = '0';
      break;
    }
  }
  struct pubsub_view wide = pubsub_view_of(out, len);
  if (len >= 5 && (out[len - 5] == '+' || out[len - 5] == '-') && is_digit_at(wide, len - 4) &&
      is_digit_at(wide, len - 3) && out[len - 2] == ':' && is_digit_at(wide, len - 1)) {
    out[len] = out[len - 1];
    out[len++ - 1] = '0';
  }
  return pubsub_view_of(out, len);
}

static bool zone_of(struct pubsub_view text, int32_t *offset) {
  static const char *const bases[] = {"UTC", "GMT", "UT", "EST", "MST", "HST"};
  static const int32_t base_hours[] = {0, 0, 0, -5, -7, -10};
  uint8_t buffer[ZONE_CHARS];
  while (text.len > 0 && text.ptr[0] <= ' ')
    text = pubsub_view_of(text.ptr + 1, text.len - 1);
  if (text.len == 0 || text.len > ZONE_CHARS - 2) return false;
  text = widen(text, buffer);
  if (text.len == 1 && text.ptr[0] == 'Z') return *offset = 0, true;
  if (text.ptr[0] == '+' || text.ptr[0] == '-') return zone_offset(text, offset);
  for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
    size_t len = strlen(bases[i]);
    if (text.len < len || memcmp(text.ptr, bases[i], len) != 0) continue;
    struct pubsub_view rest = pubsub_view_of(text.ptr + len, text.len - len);
    *offset = base_hours[i] * 3600;
    if (rest.len == 0) return true;
    return i < 3 && zone_offset(rest, offset);
  }
  return false;
}

int32_t pubsub_datetime_offset(const struct pubsub_payload_zone *zone, int64_t local_s) {
  size_t low = 0, high = zone->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (zone->pairs[2 * middle] <= local_s)
      low = middle + 1;
    else
      high = middle;
  }
  return low < zone->count ? (int32_t)zone->pairs[2 * low + 1] : zone->last;
}

static bool scale_up(int64_t seconds, int32_t micros, int64_t *out) {
  int64_t us;
  return !__builtin_mul_overflow(seconds, (int64_t)SECOND_US, &us) &&
         !__builtin_add_overflow(us, (int64_t)micros, out);
}

/* Today in a zone whose offset is in force now. */
static int64_t today(int64_t now_us, int32_t offset) {
  int64_t local = now_us / SECOND_US + offset;
  return (local >= 0 ? local : local - DAY_S + 1) / DAY_S;
}

bool pubsub_datetime_timestamp(struct pubsub_view text, const struct pubsub_datetime *with,
                               int64_t *us) {
  struct parts parts;
  int32_t offset = 0;
  int64_t days, seconds;
  if (!split(text, &parts)) return false;
  if (parts.zone.ptr && !zone_of(parts.zone, &offset)) return false;
  if (parts.just_time) {
    int32_t now =
        parts.zone.ptr ? offset : pubsub_datetime_offset(&with->zone, with->now_us / SECOND_US);
    days = today(with->now_us, now);
  } else if (!days_of(parts.segments[0], parts.segments[1], parts.segments[2], &days)) {
    return false;
  }
  if (!local_us(&parts, days, &seconds)) return false;
  if (!parts.zone.ptr) offset = pubsub_datetime_offset(&with->zone, seconds);
  return scale_up(seconds - offset, parts.segments[6], us);
}

bool pubsub_datetime_local(struct pubsub_view text, int64_t *us) {
  struct parts parts;
  int64_t days, seconds;
  if (!split(text, &parts) || parts.just_time || parts.zone.ptr) return false;
  if (!days_of(parts.segments[0], parts.segments[1], parts.segments[2], &days)) return false;
  return local_us(&parts, days, &seconds) && scale_up(seconds, parts.segments[6], us);
}
