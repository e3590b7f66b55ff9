/* Compressed requests. The only place of the emulator that sees zlib. Pure. */
#ifndef EMULATOR_RPC_GUNZIP_H
#define EMULATOR_RPC_GUNZIP_H

#include "base/bytes.h"

/* Replaces gzip'ed bytes by what they hold. False: they are not, or hold more than max_bytes, or
 * no memory. */
bool gunzip(struct pubsub_buf *bytes, size_t max_bytes);

#endif
