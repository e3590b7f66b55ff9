/*
 * Reading a store back: the last checkpoint, the blocks that it names, then the changes since, into
 * sets of ids (holdings.h) and settings that are not unpacked; what is there in the end goes into
 * the broker. Nothing on the disk is changed, but for what is behind the last whole frame, room
 * that was reserved or what a crash left: that is cut off.
 */
#ifndef EMULATOR_STORE_LOAD_H
#define EMULATOR_STORE_LOAD_H

#include "store/store.h"

/* Errors: IO, INVALID (told with file and offset), NOMEM. `notice` is set where something was cut
 * off. An empty folder leaves the store as it is. */
enum pubsub_status load_store(struct store *store, struct pubsub_error *notice,
                              struct pubsub_error *error);

#endif
