/*
 * Received messages as the generated code has them, in the shape that the decoder gives: what
 * differential targets compare with. Texts end at their first NUL, which is all that the generated
 * code knows of them.
 */
#ifndef FUZZ_SUPPORT_GENERATED_H
#define FUZZ_SUPPORT_GENERATED_H

#include "google/pubsub/v1/pubsub.pb-c.h"
#include "proto/pull_decoder.h"
#include "proto/wire.h"

struct generated_row {
  struct pubsub_received received; /* borrows from the message and from `attributes` */
  struct pubsub_attribute *attributes;
};
/* Of duplicate keys the last; a time that does not fit ends at the type's limits. */
void generated_row_of(const Google__Pubsub__V1__ReceivedMessage *message,
                      struct generated_row *out);
void generated_row_clear(struct generated_row *row);
/* Takes out of a message, and of those in it, the fields that the generated code does not know: it
 * takes more than the format allows. */
void generated_strip(ProtobufCMessage *message);

#endif
