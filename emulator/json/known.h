/* The messages of google.protobuf that JSON writes in a way of their own: Duration, Timestamp,
 * FieldMask, Struct, Value, ListValue. Pure. */
#ifndef EMULATOR_JSON_KNOWN_H
#define EMULATOR_JSON_KNOWN_H

#include "json/reader.h"
#include <protobuf-c/protobuf-c.h>

bool known_is(const ProtobufCMessageDescriptor *descriptor);
/* Into a message that was initialised. False: something is wrong, and told. */
bool known_read(struct json *json, ProtobufCMessage *message);
/* Errors: NOMEM. */
enum pubsub_status known_print(struct pubsub_buf *out, const ProtobufCMessage *message);

#endif
