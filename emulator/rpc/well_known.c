#include "rpc/well_known.h"

#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include <stdbool.h>
#include <string.h>

#define DURATION_MOST_S INT64_C(315576000000)
#define TIMESTAMP_LEAST_S INT64_C(-62135596800)
#define TIMESTAMP_MOST_S INT64_C(253402300799)

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
    return well_known_bad_field(message);
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

const char *well_known_bad_field(const ProtobufCMessage *message) {
  const ProtobufCMessageDescriptor *descriptor = message->descriptor;
  const char *bad = NULL;
  for (unsigned i = 0; i < descriptor->n_fields && !bad; i++) {
    const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
    if (field->type != PROTOBUF_C_TYPE_MESSAGE || !is_chosen(message, field)) continue;
    bad = bad_among(message, field);
  }
  return bad;
}
