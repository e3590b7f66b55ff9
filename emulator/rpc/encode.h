/* How gRPC writes a status message into a header: percent-encoded where it is not printable.
 * Pure. */
#ifndef EMULATOR_RPC_ENCODE_H
#define EMULATOR_RPC_ENCODE_H

#include <stddef.h>

/* As far as it fits; ends with NUL. */
void encode_message(const char *text, char *out, size_t cap);

#endif
