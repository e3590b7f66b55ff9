/*
 * The store in the server's life: when what changed is committed (before an answer leaves, at the
 * latest at the end of the loop's turn), when it is synced, which calls are refused for want of
 * room. Without --data-dir there is none, and nothing is written. Loop thread only.
 */
#ifndef EMULATOR_KEEPER_H
#define EMULATOR_KEEPER_H

#include "net/bytestream.h"
#include "rpc/call.h"
#include "store/store.h"

struct keeper {
  struct store store;
  struct pubsub_loop *loop;
  struct pubsub_deferred commit;
  struct pubsub_timer sync; /* of STORE_SYNC_INTERVAL */
  bool open;
  bool *failed; /* set, and the loop stopped, where the disk breaks the store's promise */
  struct pubsub_error *why;
};

/* The broker is empty; it holds what is in the folder then. Errors and `notice`: store_open. */
enum pubsub_status keeper_open(struct keeper *keeper, struct pubsub_loop *loop, const char *path,
                               enum store_sync sync, struct broker *broker,
                               struct pubsub_error *notice, struct pubsub_error *error);
bool keeper_has_before(const struct keeper *keeper); /* the folder was not empty */
/* What answers on this stream rest on is kept first. Takes the stream on success. NULL: no
 * memory. Without a store: the stream itself. */
struct pubsub_bytestream *keeper_guard(struct keeper *keeper,
                                       struct pubsub_bytestream *take_stream);
/* There is room for what this call may change; otherwise it was failed. */
bool keeper_admit(struct keeper *keeper, struct call *call, struct pubsub_view request);
/* What changed so far is kept. Errors: IO. */
enum pubsub_status keeper_commit(struct keeper *keeper, struct pubsub_error *error);
void keeper_close(struct keeper *keeper); /* before the broker is cleared; not open: no-op */

#endif
