#include "seek_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool take_ago(const char *text, int64_t now_us, int64_t *out_us) {
  static const char units[] = "smhd";
  static const int64_t seconds[] = {1, 60, 3600, 86400};
  char *end;
  unsigned long count = strtoul(text, &end, 10);
  const char *unit = *end ? strchr(units, *end) : NULL;
  if (*text < '0' || *text > '9' || !unit || end[1] || count > 1000000000) return false;
  *out_us = now_us - (int64_t)count * seconds[unit - units] * 1000000;
  return *out_us >= 0;
}

/* ".5" -> 500000; moves *at behind it. False: digits are missing or too many. */
static bool take_fraction(const char **at, int64_t *out_us) {
  int64_t scale = 100000;
  int digits = 0;
  *out_us = 0;
  if (**at != '.') return true;
  for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, digits++, scale /= 10)
    *out_us += (**at - '0') * scale;
  return digits > 0 && digits <= 9;
}

/* "Z", "+01:00", "-05:30". */
static bool take_offset(const char *text, int64_t *out_s) {
  int hours, minutes, len = 0;
  *out_s = 0;
  if (strcmp(text, "Z") == 0) return true;
  if ((*text != '+' && *text != '-') ||
      sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &len) != 2 || text[1 + len] || hours > 23 ||
      minutes > 59) {
    return false;
  }
  *out_s = (hours * 3600 + minutes * 60) * (*text == '-' ? -1 : 1);
  return true;
}

bool cli_seek_time_parse(const char *text, int64_t now_us, int64_t *out_us) {
  struct tm day = {0};
  int64_t fraction_us, offset_s;
  if (strcmp(text, "now") == 0) {
    *out_us = now_us;
    return true;
  }
  if (*text == '-') return take_ago(text + 1, now_us, out_us);
  const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &day);
  if (!rest || !take_fraction(&rest, &fraction_us) || !take_offset(rest, &offset_s)) return false;
  *out_us = ((int64_t)timegm(&day) - offset_s) * 1000000 + fraction_us;
  return *out_us >= 0;
}
