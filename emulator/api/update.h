/* Update masks: takes the named top-level fields of one message over into another of the same
 * type. */
#ifndef EMULATOR_API_UPDATE_H
#define EMULATOR_API_UPDATE_H

#include "google/protobuf/field_mask.pb-c.h"
#include <stdbool.h>

/* Swaps each field of the mask between `config` and `update` (which the caller frees: old values
 * go with it). `fixed`: names that may not change, ended by NULL. False: nothing was changed;
 * *problem is the offending path. */
bool update_apply(ProtobufCMessage *config, ProtobufCMessage *update,
                  const Google__Protobuf__FieldMask *mask, const char *const *fixed,
                  const char **problem);

#endif
