#include "times.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DURATION_MOST_S INT64_C(315576000000)
#define TIMESTAMP_LEAST_S INT64_C(-62135596800)
#define TIMESTAMP_MOST_S INT64_C(253402300799)

/* ---- of requests ---- */

static bool duration_is_good(const Google__Protobuf__Duration *duration) {
  bool signs = duration->seconds == 0 || duration->nanos == 0 ||
               (duration->seconds < 0) == (duration->nanos < 0);
  return signs && duration->seconds >= -DURATION_MOST_S && duration->seconds <= DURATION_MOST_S &&
         duration->nanos > -1000000000 && duration->nanos < 1000000000;
}

static bool timestamp_is_good(const Google__Protobuf__Timestamp *timestamp) {
  return timestamp->seconds >= TIMESTAMP_LEAST_S && timestamp->seconds <= TIMESTAMP_MOST_S &&
         timestamp->nanos >= 0 && timestamp->nanos < 1000000000;
}

static const char *bad_in(const char *field, const ProtobufCMessage *message) {
  bool good = true;
  if (!message) return NULL;
  if (message->descriptor == &google__protobuf__duration__descriptor) {
    good = duration_is_good((const Google__Protobuf__Duration *)message);
  } else if (message->descriptor == &google__protobuf__timestamp__descriptor) {
    good = timestamp_is_good((const Google__Protobuf__Timestamp *)message);
  } else {
    return times_bad_field(message);
  }
  return good ? NULL : field;
}

/* Whether a member of a oneof is the one that is set; of other fields: true. */
static bool is_chosen(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field) {
  uint32_t chosen;
  if (!(field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)) return true;
  memcpy(&chosen, (const uint8_t *)message + field->quantifier_offset, sizeof chosen);
  return chosen == field->id;
}

static const char *bad_among(const ProtobufCMessage *message,
                             const ProtobufCFieldDescriptor *field) {
  const uint8_t *at = (const uint8_t *)message + field->offset;
  const ProtobufCMessage *one, *const *many;
  const char *bad = NULL;
  size_t count;
  if (field->label != PROTOBUF_C_LABEL_REPEATED) {
    memcpy(&one, at, sizeof one);
    return bad_in(field->name, one);
  }
  memcpy(&many, at, sizeof many);
  memcpy(&count, (const uint8_t *)message + field->quantifier_offset, sizeof count);
  for (size_t i = 0; i < count && !bad; i++)
    bad = bad_in(field->name, many[i]);
  return bad;
}

const char *times_bad_field(const ProtobufCMessage *message) {
  const ProtobufCMessageDescriptor *descriptor = message->descriptor;
  const char *bad = NULL;
  for (unsigned i = 0; i < descriptor->n_fields && !bad; i++) {
    const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || !is_chosen(message, field)) continue;
    bad = bad_among(message, field);
  }
  return bad;
}

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
