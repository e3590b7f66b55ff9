/* The answer to a gRPC request of a method that does not exist, or that is not welcome. */
#ifndef EMULATOR_RPC_REFUSAL_H
#define EMULATOR_RPC_REFUSAL_H

#include "h2/conn.h"

/* A status of gRPC, without a message body. */
void refuse_grpc(struct pubsub_h2_stream *stream, const char *grpc_status, const char *message);

#endif
