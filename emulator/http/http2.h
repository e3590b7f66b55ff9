/* One stream of HTTP/2 as an exchange: all that is not gRPC. Loop thread only. */
#ifndef EMULATOR_HTTP_HTTP2_H
#define EMULATOR_HTTP_HTTP2_H

#include "h2/conn.h"
#include "http/exchange.h"

/* Inside on_request: binds an exchange to the stream. Without memory the stream stays unbound and
 * is refused. `streams` holds it until it is closed. */
void http2_open(struct site *site, struct pubsub_h2_conn *conn, struct pubsub_h2_stream *stream,
                const struct pubsub_h2_header *headers, size_t count, bool local,
                struct pubsub_list *streams);
/* Frees exchanges at once; their streams are about to be. */
void http2_destroy_all(struct pubsub_list *streams);

#endif
