/* google.protobuf.Struct, Value and ListValue: JSON as it is, kept in messages. Pure. */
#ifndef EMULATOR_JSON_STRUCTS_H
#define EMULATOR_JSON_STRUCTS_H

#include "json/reader.h"
#include <protobuf-c/protobuf-c.h>

bool structs_are(const ProtobufCMessageDescriptor *descriptor);
/* Into a message that was initialised. False: something is wrong, and told. */
bool structs_read(struct json *json, ProtobufCMessage *message);
enum pubsub_status structs_print(struct pubsub_buf *out, const ProtobufCMessage *message);

#endif
