/*
 * Compresses the bytes of one Publish request, as gRPC's `grpc-encoding: gzip` wants them. Pure;
 * called on the loop's thread by sender.c, once a request: what is sent again is what was
 * compressed before. The only place that sees zlib in the library.
 */
#ifndef PUBSUB_PUB_GZIP_H
#define PUBSUB_PUB_GZIP_H

#include "base/bytes.h"

/* Up to here a request is sent as it is: gzip's frame would eat what it saves. */
#define PUBSUB_GZIP_MIN_BYTES 240u

/* At most `room` bytes into out. 0: it does not fit, or there is no memory; send the bytes as they
 * are. */
size_t pubsub_gzip(struct pubsub_view in, uint8_t *out, size_t room);
/* zlib's version; static. */
const char *pubsub_gzip_library(void);

#endif
