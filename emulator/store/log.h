/*
 * The log of a store: files of frames that are only ever appended to (log-1, log-2 …), the entries
 * that wait to be written as the next frame, and which blocks of messages lie where.
 *
 *   log_reserve ─▶ entries into log.pending ─▶ log_write: a frame ─▶ log_sync: it is durable
 *
 * Room on the disk is reserved before anything is changed, so that a full disk refuses a request
 * and never breaks a promise. Where a write or a sync fails nevertheless the log has failed for
 * good: what the disk has is not known then.
 */
#ifndef EMULATOR_STORE_LOG_H
#define EMULATOR_STORE_LOG_H

#include "base/list.h"
#include "model/message.h"
#include "store/folder.h"

#define LOG_INSERTS 32
#define SEGMENT_BYTES ((uint64_t)64 << 20)

struct log;

struct segment {
  struct log *log;
  struct pubsub_list link; /* in log.segments, in the order of numbers */
  uint64_t number;
  uint64_t bytes;            /* written */
  uint64_t live_bytes;       /* of blocks that are still needed */
  struct pubsub_list blocks; /* of struct kept */
  bool moved_out; /* what was in it is elsewhere now, and the last checkpoint does not know it */
};

/* Where a block lies. Freed with the block. */
struct kept {
  struct keeping keeping;
  struct pubsub_list link; /* in segment.blocks */
  struct segment *segment;
  struct block *block;
  uint64_t offset; /* of the block's bytes in the file */
  uint64_t first_id;
  size_t count;
  int64_t time_us;
};

struct log {
  struct folder folder;
  struct pubsub_list segments; /* the last one is written to */
  int fd;                      /* of that one */
  uint64_t allocated;          /* its size on the disk */
  uint32_t seed;
  uint64_t next_frame;       /* its number */
  uint64_t durable;          /* frames below are on the disk */
  uint64_t checkpoint;       /* number of the last one: logs before it are kept for blocks alone */
  uint64_t since_checkpoint; /* bytes written */
  struct pubsub_buf pending; /* a frame: room for its head, then entries */
  struct insert {
    size_t at;           /* in `pending` */
    struct block *block; /* one reference: its bytes stand there, uncopied */
  } inserts[LOG_INSERTS];
  size_t insert_count, insert_bytes;
  struct kept *spare; /* for the next block, so that keeping it cannot fail */
  bool failed;
  bool emptied; /* some segment may be removed at the next sync */
  bool untold;  /* a block may have gone that the log does not know of: no file is removed */
  bool full;    /* there was no room on the disk */
  struct pubsub_error why; /* of the last failure, of reserving too */
};

void log_init(struct log *log);
void log_clear(struct log *log); /* closes the file; blocks forget that they are kept */

/* A file that begins with the next frame. Errors: IO (why). */
enum pubsub_status log_begin(struct log *log, uint64_t number);
/* A segment that is on the disk already. NULL: no memory. */
struct segment *log_add_segment(struct log *log, uint64_t number, uint64_t bytes);
struct segment *log_last(const struct log *log);

/* Room for so many bytes of entries, in memory and on the disk. False: log.why. */
bool log_reserve(struct log *log, size_t bytes);
bool log_is_pending(const struct log *log);
/* What is pending becomes a frame. Errors: IO. */
enum pubsub_status log_write(struct log *log);
/* What was written is durable; files that nobody needs go. Errors: IO. */
enum pubsub_status log_sync(struct log *log);
/* Cuts off the room that was reserved. */
void log_trim(struct log *log);

/* A block is the bytes of the entry that was begun last, and kept there; after log_reserve. */
void log_keep(struct log *log, struct block *block, uint64_t first_id, size_t count,
              int64_t time_us);
/* A block that was read from a segment. Errors: NOMEM. */
enum pubsub_status log_keep_at(struct segment *segment, uint64_t offset, struct block *block,
                               uint64_t first_id, size_t count, int64_t time_us);
/* Copies blocks of segments that are mostly empty to the end, up to a number of bytes. */
void log_gather(struct log *log, uint64_t most_bytes);
/* Removes what only served before a checkpoint. */
void log_prune(struct log *log);
uint64_t log_bytes(const struct log *log);
uint64_t log_live_bytes(const struct log *log);

#endif
