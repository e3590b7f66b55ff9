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

/* ---- for those who bind what stands elsewhere, and for render ---- */

/* An empty one. NULL: no memory, told. */
ProtobufCMessage *json_new_message(struct json *json, const ProtobufCMessageDescriptor *descriptor);
/* By either of its names. NULL: there is none. */
const ProtobufCFieldDescriptor *json_find_field(const ProtobufCMessageDescriptor *descriptor,
                                                const char *text);
/* Reads one value into a field of its message, or one more element of a repeated one. */
bool json_read_into(struct json *json, ProtobufCMessage *message,
                    const ProtobufCFieldDescriptor *field);
bool json_is_map(const ProtobufCFieldDescriptor *field);
size_t json_value_bytes(const ProtobufCFieldDescriptor *field); /* of one element, in memory */

#endif
