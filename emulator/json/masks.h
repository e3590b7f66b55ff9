/* google.protobuf.FieldMask as JSON: "labels,pushConfig.pushEndpoint". Pure. */
#ifndef EMULATOR_JSON_MASKS_H
#define EMULATOR_JSON_MASKS_H

#include "google/protobuf/field_mask.pb-c.h"
#include "json/reader.h"

/* Into a mask that was initialised; names in lowerCamelCase or as in the .proto. False: something
 * is wrong, and told. */
bool masks_read(struct json *json, Google__Protobuf__FieldMask *mask);
/* Errors: NOMEM. */
enum pubsub_status masks_print(struct pubsub_buf *out, const Google__Protobuf__FieldMask *mask);

#endif
