/* What was replayed, into the broker: settings unpacked, messages in their places. */
#ifndef EMULATOR_STORE_RESTORE_H
#define EMULATOR_STORE_RESTORE_H

#include "store/replay.h"

/* Errors: INVALID (told: what does not fit together), NOMEM. */
enum pubsub_status restore_broker(struct replay *replay, struct pubsub_error *error);

#endif
