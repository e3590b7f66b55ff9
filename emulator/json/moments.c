#include "json/moments.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

/* So many digits at least and at most. NULL: there are not. */
static const char *digits(const char *text, int least, int most, int64_t *out) {
  int count = 0;
  *out = 0;
  for (; count < most && *text >= '0' && *text <= '9'; count++, text++)
    *out = *out * 10 + (*text - '0');
  return count >= least ? text : NULL;
}

/* ".5" as nanoseconds, if it is there. */
static const char *fraction(const char *text, int32_t *nanos) {
  *nanos = 0;
  if (*text != '.') return text;
  text++;
  int count = 0;
  for (; count < 9 && *text >= '0' && *text <= '9'; count++, text++)
    *nanos = *nanos * 10 + (*text - '0');
  if (count == 0) return NULL;
  for (; count < 9; count++)
    *nanos *= 10;
  return text;
}

bool json_parse_duration(const char *text, int64_t *seconds, int32_t *nanos) {
  bool negative = *text == '-';
  text = digits(text + negative, 1, 12, seconds);
  if (text) text = fraction(text, nanos);
  if (!text || text[0] != 's' || text[1] != '\0') return false;
  if (negative) {
    *seconds = -*seconds;
    *nanos = -*nanos;
  }
  return true;
}

/* Days since 1970-01-01 in the Gregorian calendar. */
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
  year -= month <= 2;
  int64_t era = year / 400, of_era = year - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_date(int64_t year, int64_t month, int64_t day) {
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (year < 1 || month < 1 || month > 12 || day < 1) return false;
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return day <= lengths[month - 1] + (month == 2 && leap);
}

/* "Z", "+01:00". */
static bool offset_of(const char *text, int64_t *seconds) {
  int64_t hours, minutes;
  char sign = *text;
  *seconds = 0;
  if (sign == 'Z') return text[1] == '\0';
  if (sign != '+' && sign != '-') return false;
  text = digits(text + 1, 2, 2, &hours);
  if (!text || *text != ':') return false;
  text = digits(text + 1, 2, 2, &minutes);
  if (!text || *text || hours > 23 || minutes > 59) return false;
  *seconds = (hours * 60 + minutes) * (sign == '+' ? 60 : -60);
  return true;
}

bool json_parse_timestamp(const char *text, int64_t *seconds, int32_t *nanos) {
  static const struct {
    int digits;
    char after;
  } parts[] = {{4, '-'}, {2, '-'}, {2, 'T'}, {2, ':'}, {2, ':'}, {2, '\0'}};
  int64_t of[6], offset;
  for (int i = 0; i < 6; i++) {
    text = digits(text, parts[i].digits, parts[i].digits, &of[i]);
    if (!text || (parts[i].after && *text++ != parts[i].after)) return false;
  }
  text = fraction(text, nanos);
  if (!text || !offset_of(text, &offset)) return false;
  if (!is_date(of[0], of[1], of[2]) || of[3] > 23 || of[4] > 59 || of[5] > 59) return false;
  *seconds = days_of(of[0], of[1], of[2]) * 86400 + of[3] * 3600 + of[4] * 60 + of[5] - offset;
  return true;
}

/* ---- the other way ---- */

static void format_fraction(int32_t nanos, char out[12]) {
  uint32_t number = (uint32_t)(nanos < 0 ? -(int64_t)nanos : nanos) % 1000000000;
  *out = '\0';
  if (number == 0) return;
  if (number % 1000000 == 0) {
    snprintf(out, 12, ".%03u", number / 1000000);
  } else if (number % 1000 == 0) {
    snprintf(out, 12, ".%06u", number / 1000);
  } else {
    snprintf(out, 12, ".%09u", number);
  }
}

void json_format_duration(int64_t seconds, int32_t nanos, char out[48]) {
  char fraction[12];
  bool negative = seconds < 0 || nanos < 0;
  uint64_t whole = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
  format_fraction(nanos, fraction);
  snprintf(out, 48, "%s%" PRIu64 "%ss", negative ? "-" : "", whole, fraction);
}

/* The date of a day since 1970-01-01: the inverse of days_of. */
static void date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day) {
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
  int64_t years = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * years + years / 4 - years / 100);
  int64_t shifted = (5 * of_year + 2) / 153;
  *day = of_year - (153 * shifted + 2) / 5 + 1;
  *month = shifted < 10 ? shifted + 3 : shifted - 9;
  *year = years + era * 400 + (*month <= 2);
}

void json_format_timestamp(int64_t seconds, int32_t nanos, char out[48]) {
  char fraction[12];
  int64_t year, month, day, of_day = seconds % 86400;
  if (of_day < 0) of_day += 86400;
  date_of(seconds / 86400 - (seconds % 86400 < 0), &year, &month, &day);
  format_fraction(nanos, fraction);
  snprintf(out, 48, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", (int)year, (int)month, (int)day,
           (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60), fraction);
}
