#include "model/times.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static int64_t to_us(int64_t seconds, int32_t nanos) {
  int64_t us;
  if (__builtin_mul_overflow(seconds, 1000000, &us) ||
      __builtin_add_overflow(us, nanos / 1000, &us)) {
    return seconds < 0 ? INT64_MIN : INT64_MAX;
  }
  return us;
}

int64_t times_duration_us(const Google__Protobuf__Duration *duration, int64_t otherwise) {
  return duration ? to_us(duration->seconds, duration->nanos) : otherwise;
}

int64_t times_timestamp_us(const Google__Protobuf__Timestamp *timestamp) {
  return to_us(timestamp->seconds, timestamp->nanos);
}

/* ---- of commands ---- */

/* "1.5h", and what follows it. NULL: none. */
static const char *parse_part(const char *text, double *us) {
  static const struct {
    const char *unit;
    double us;
  } units[] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}, {"d", 86400e6}};
  char *end;
  if (*text < '0' || *text > '9') return NULL;
  double value = strtod(text, &end);
  size_t len = strspn(end, "dhmsu");
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (strlen(units[i].unit) != len || memcmp(end, units[i].unit, len) != 0) continue;
    *us = value * units[i].us;
    return end + len;
  }
  return NULL;
}

bool times_parse(const char *text, uint64_t *us) {
  double sum = 0, part;
  if (*text == '\0') return false;
  while (*text) {
    text = parse_part(text, &part);
    if (!text) return false;
    sum += part;
  }
  if (!(sum <= (double)TIMES_MOST_US)) return false;
  *us = (uint64_t)sum;
  return true;
}
