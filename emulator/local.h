/*
 * A front without a connection: calls a unary method that answers at once, from within the process.
 * What a configuration file asks for goes this way, so that it is checked as every request is.
 */
#ifndef EMULATOR_LOCAL_H
#define EMULATOR_LOCAL_H

#include "model/broker.h"
#include "rpc/call.h"

/* Calls it with a message of its request's type. The response is dropped; *grpc_code is set where
 * it fails. Errors: INVALID (the method's text), NOMEM. */
enum pubsub_status local_call(struct broker *broker, const struct method *method,
                              const ProtobufCMessage *request, int *grpc_code,
                              struct pubsub_error *error);

/* Calls a method whose request and response are google.protobuf.StringValue; appends the text of
 * the response. Errors: INVALID (the method's text), NOMEM. */
enum pubsub_status local_command(struct broker *broker, const struct method *method,
                                 const char *text, struct pubsub_buf *out,
                                 struct pubsub_error *error);

#endif
