/*
 * A connection that has said nothing yet: its first bytes tell HTTP/2 (the preface) from HTTP/1,
 * with TLS or without. Hands the stream on and is gone; one that stays silent for 60 s is closed.
 * Loop thread only.
 */
#ifndef EMULATOR_HTTP_ARRIVAL_H
#define EMULATOR_HTTP_ARRIVAL_H

#include "base/bytes.h"
#include "base/list.h"
#include "net/bytestream.h"

/* `early`: what was read, borrowed. Takes the stream in any case. */
typedef void arrival_fn(void *user, struct pubsub_bytestream *take_stream, bool http2,
                        struct pubsub_view early);

/* Takes the stream in any case. `list` holds what waits. */
void arrival_start(struct pubsub_loop *loop, struct pubsub_bytestream *take_stream,
                   arrival_fn *on_known, void *user, struct pubsub_list *list);
void arrival_destroy_all(struct pubsub_list *list); /* at once, with their streams */

#endif
