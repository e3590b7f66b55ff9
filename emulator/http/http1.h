/*
 * One connection of HTTP/1.1: requests one after another, pipelined ones wait their turn. The only
 * place that sees llhttp, in its strict mode; what that lets pass and a proxy may read otherwise
 * (a second Host, a transfer coding besides chunked) is refused here. Frees itself when the peer
 * goes. Loop thread only.
 *
 *   IDLE ── first byte ──▶ HEAD ── admitted ──▶ BODY ──▶ SERVING ── answered, kept alive ──▶ IDLE
 *     │                     │ refused, malformed, too slow │            │ not kept alive
 *     │                     └──────────────┬───────────────┴────────────┘
 *     │                                    ▼
 *     └── 120 s of silence ──▶ freed ◀── LAST: the answer goes out, what still comes is dropped
 *
 * What begins with no method of HTTP is closed without a word.
 * A head has 10 s, a body 20 s for each 64 KiB, a peer 30 s to take something of an answer.
 */
#ifndef EMULATOR_HTTP_HTTP1_H
#define EMULATOR_HTTP_HTTP1_H

#include "http/exchange.h"
#include "net/bytestream.h"

struct http1;

/* Takes the stream on success, of which `early` was read already. NULL: no memory. */
struct http1 *http1_new(struct pubsub_loop *loop, struct pubsub_bytestream *take_stream,
                        struct site *site, struct pubsub_view early);
void http1_destroy(struct http1 *http1); /* at once */
/* Ends every connection of a site: at once; or, with `kindly`, after its answer. Inside of any
 * callback. */
void http1_end_all(struct site *site, bool kindly);

#endif
