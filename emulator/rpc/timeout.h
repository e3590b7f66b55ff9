/* The `grpc-timeout` of a request: how long its client waits. Pure. */
#ifndef EMULATOR_RPC_TIMEOUT_H
#define EMULATOR_RPC_TIMEOUT_H

#include "base/bytes.h"

/* "60S", "500m": at most 8 digits and a unit of H, M, S, m, u, n. In µs, rounded up. UINT64_MAX:
 * it is not one. */
uint64_t timeout_parse(struct pubsub_view text);

#endif
