/*
 * A generated message as JSON, by the proto3 mapping and the message's descriptor: names in
 * lowerCamelCase, what has its default left out, 64-bit numbers as strings, bytes in base64, enums
 * by name. The other way: mapping.h. Pure.
 */
#ifndef EMULATOR_JSON_RENDER_H
#define EMULATOR_JSON_RENDER_H

#include "base/bytes.h"
#include <protobuf-c/protobuf-c.h>

/* Appends one object. enum_numbers: enums are told by number. Errors: NOMEM. */
enum pubsub_status json_render(struct pubsub_buf *out, const ProtobufCMessage *message,
                               bool enum_numbers);

#endif
