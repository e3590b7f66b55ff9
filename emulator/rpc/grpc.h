/*
 * The server side of gRPC: one HTTP/2 stream as a struct call. Request messages in, one response or
 * many out, a status at the end. Loop thread only.
 *
 *   OPEN ── answered (status queued), or reset ──▶ ANSWERED ──▶ closed by both sides, freed
 *     └── the peer resets or goes ────────────────────────────────────▲
 *
 * A client that does not take its answers may not ask for more: above 2 MB of them its window stays
 * closed. A call that waits longer than its client (`grpc-timeout`) is answered DEADLINE_EXCEEDED.
 */
#ifndef EMULATOR_RPC_GRPC_H
#define EMULATOR_RPC_GRPC_H

#include "rpc/connection.h"

/* Inside on_request: binds a call to the stream. Without memory the stream stays unbound and is
 * refused. */
void grpc_open(struct connection *connection, struct pubsub_h2_stream *stream,
               const struct method *method, struct pubsub_view encoding,
               struct pubsub_view timeout);
/* Frees calls at once; their streams are about to be. */
void grpc_destroy_all(struct pubsub_list *calls);

#endif
