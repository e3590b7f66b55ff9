/*
 * How deep messages lie in each other in an encoded message, looked at before it is unpacked: the
 * generated code unpacks by recursion, and a client must not choose how much of the stack that
 * takes. Pure; called by call.
 */
#ifndef EMULATOR_RPC_NESTING_H
#define EMULATOR_RPC_NESTING_H

#include "base/bytes.h"
#include <protobuf-c/protobuf-c.h>

#define NESTING_MOST 100 /* as other implementations have it */

/* What is malformed is not told here. */
bool nesting_is_bounded(const ProtobufCMessageDescriptor *descriptor, struct pubsub_view bytes);

#endif
