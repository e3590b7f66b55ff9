/* google.protobuf.Duration and Timestamp in a request: whether each is one. Pure. */
#ifndef EMULATOR_RPC_WELL_KNOWN_H
#define EMULATOR_RPC_WELL_KNOWN_H

#include <protobuf-c/protobuf-c.h>

/* The name of the first field, at any depth, whose duration or timestamp is not one (protobuf:
 * 10,000 years either way; the years 1 to 9999; nanoseconds of the same sign). NULL: all are
 * good. */
const char *well_known_bad_field(const ProtobufCMessage *message);

#endif
