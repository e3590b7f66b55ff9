/*
 * The store: what the broker holds, kept in a folder so that it is there after a restart. A log of
 * changes (log.h), and checkpoints that say how everything stood when a file of the log began
 * (checkpoint.h); the bytes of messages are written once, in the log, and copied only out of files
 * that hold little else. Loop thread only.
 *
 *   store_open: load.h reads it back ─▶ changes (journal.h) ─▶ store_commit ─▶ answers leave
 *
 * Nothing that rests on a change may be sent before store_commit has returned.
 */
#ifndef EMULATOR_STORE_STORE_H
#define EMULATOR_STORE_STORE_H

#include "model/broker.h"
#include "model/journal.h"
#include "store/log.h"

struct pubsub_error;

enum store_sync {
  STORE_SYNC_ALWAYS,  /* store_commit waits for the disk */
  STORE_SYNC_INTERVAL /* it hands over to the system; store_flush is called every now and then */
};

struct store {
  struct journal journal; /* the broker's */
  struct log log;
  struct broker *broker;
  enum store_sync sync;
  uint64_t starts;                /* how often the folder was opened */
  uint64_t next_number;           /* of topics, subscriptions, snapshots */
  uint64_t checkpoint_bytes;      /* of the last one */
  uint64_t retry_at;              /* log.since_checkpoint: after one that could not be written */
  void (*on_touched)(void *user); /* store_commit is to be called soon; may be NULL */
  void *user;
  bool touched;  /* since the last commit */
  bool promised; /* something is pending that an answer rests on */
  bool fresh;    /* the folder was empty */
};

/* Reads the folder into the broker, which is empty, and has its changes told from then on. What a
 * crash left of the last writes is cut off, with a word in `notice`. Errors: IO, INVALID (the
 * folder is damaged: file and offset are told), NOMEM. */
enum pubsub_status store_open(struct store *store, const char *path, enum store_sync sync,
                              struct broker *broker, struct pubsub_error *notice,
                              struct pubsub_error *error);
/* Everything that was told so far is kept. Errors: IO; the store is of no use then. */
enum pubsub_status store_commit(struct store *store, struct pubsub_error *error);
/* And it is on the disk. */
enum pubsub_status store_flush(struct store *store, struct pubsub_error *error);
bool store_is_dirty(const struct store *store); /* store_flush would do something */
/* A checkpoint, where the log has grown enough for one. */
void store_tidy(struct store *store);
/* Commits, and lets go of the broker, which must still be whole. */
void store_close(struct store *store);

#endif
