/* A control command that came over HTTP: the method of gRPC's control endpoint, called from within
 * the process, its text answered as text. What it does to other connections is gRPC's alone. */
#ifndef EMULATOR_COMMAND_H
#define EMULATOR_COMMAND_H

#include "http/exchange.h"
#include "rpc/service.h"

/* The body is the command. Answers. */
void command_serve(const struct service *service, struct exchange *exchange);

#endif
