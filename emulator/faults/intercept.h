/* The faults that come before a call's method: it fails, waits, is reset, loses its connection.
 * Recorded. */
#ifndef EMULATOR_FAULTS_INTERCEPT_H
#define EMULATOR_FAULTS_INTERCEPT_H

#include "rpc/call.h"

/* As service.intercept. */
bool intercept(struct call *call, struct pubsub_view request);

#endif
