/*
 * JSON to a generated message, by the proto3 mapping and the message's descriptor: names in
 * lowerCamelCase or as in the .proto, 64-bit numbers as strings too, base64, enums by name,
 * durations ("3.5s"), timestamps, maps. A field that the message does not have is an error. Pure.
 */
#ifndef EMULATOR_JSON_MAPPING_H
#define EMULATOR_JSON_MAPPING_H

#include "json/reader.h"
#include <protobuf-c/protobuf-c.h>

/* Reads one object. NULL: something is wrong, and told. The caller frees it
 * (protobuf_c_message_free_unpacked). */
ProtobufCMessage *json_message(struct json *json, const ProtobufCMessageDescriptor *descriptor);

#endif
