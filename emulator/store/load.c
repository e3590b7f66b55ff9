#include "store/load.h"

#include "base/alloc.h"
#include "base/error.h"
#include "store/replay.h"
#include "store/restore.h"
#include <inttypes.h>
#include <stdlib.h>

struct loading {
  struct store *store;
  struct replay replay;
  struct block *file; /* the one that is being read; blocks share its memory; or NULL */
  uint64_t *logs;
  size_t log_count;
  uint64_t number;     /* of the checkpoint */
  uint64_t next_frame; /* of the log, behind the checkpoint */
  struct pubsub_error *notice, *error;
};

static struct pubsub_view bytes_of(const struct loading *loading) {
  if (!loading->file) return (struct pubsub_view){0};
  return pubsub_view_of(loading->file->bytes.ptr, loading->file->bytes.len);
}

static enum pubsub_status damaged(struct loading *loading, enum file_kind kind, uint64_t number,
                                  uint64_t offset, const char *what) {
  char name[FOLDER_PATH_BYTES];
  folder_name(&loading->store->log.folder, kind, number, name, sizeof name);
  return pubsub_error_set(loading->error, PUBSUB_E_INVALID,
                          "%.300s is damaged at byte %" PRIu64 ": %s", name, offset, what);
}

static void let_file_go(struct loading *loading) {
  if (loading->file) block_unref(loading->file);
  loading->file = NULL;
}

static enum pubsub_status read_file(struct loading *loading, enum file_kind kind, uint64_t number) {
  struct pubsub_buf bytes = {0};
  let_file_go(loading);
  enum pubsub_status status =
      folder_read(&loading->store->log.folder, kind, number, &bytes, loading->error);
  if (status == PUBSUB_OK && !(loading->file = block_new(&bytes))) {
    status = pubsub_error_set(loading->error, PUBSUB_E_NOMEM, "out of memory");
  }
  pubsub_buf_clear(&bytes);
  return status;
}

/* A file into loading->file, with its head looked at. */
static enum pubsub_status open_file(struct loading *loading, enum file_kind kind, uint64_t number,
                                    struct file_head *head) {
  enum pubsub_status status = read_file(loading, kind, number);
  if (status != PUBSUB_OK) return status;
  const char *problem = file_head_read(bytes_of(loading), head);
  if (!problem && (head->kind != kind || head->number != number)) {
    problem = "it is another file under this name";
  }
  if (!problem && loading->store->log.seed && head->seed != loading->store->log.seed) {
    problem = "it is of another store";
  }
  if (problem) return damaged(loading, kind, number, 0, problem);
  loading->store->log.seed = head->seed;
  return PUBSUB_OK;
}

static enum pubsub_status apply(struct loading *loading, enum file_kind kind, uint64_t number,
                                const struct frame *frame, struct segment *segment) {
  uint64_t at = (uint64_t)(frame->payload.ptr - bytes_of(loading).ptr);
  enum pubsub_status status =
      replay_frame(&loading->replay, frame->payload, segment, loading->file, at);
  if (status == PUBSUB_E_NOMEM) return pubsub_error_set(loading->error, status, "out of memory");
  if (status == PUBSUB_OK) return status;
  return damaged(loading, kind, number, at, "an entry makes no sense");
}

/* ---- the checkpoint ---- */

static enum pubsub_status read_checkpoint(struct loading *loading) {
  struct file_head head;
  struct frame frame;
  enum pubsub_status status = open_file(loading, FILE_CHECKPOINT, loading->number, &head);
  size_t offset = HEAD_BYTES;
  for (uint64_t number = 0; status == PUBSUB_OK && offset < bytes_of(loading).len; number++) {
    if (frame_read(bytes_of(loading), offset, head.seed, &frame) != FRAME_WHOLE ||
        frame.number != number) {
      return damaged(loading, FILE_CHECKPOINT, loading->number, offset, "a frame is not whole");
    }
    status = apply(loading, FILE_CHECKPOINT, loading->number, &frame, NULL);
    offset = frame.end;
  }
  if (status != PUBSUB_OK) return status;
  if (!loading->replay.ended) {
    return damaged(loading, FILE_CHECKPOINT, loading->number, offset, "its end is missing");
  }
  loading->next_frame = head.first;
  replay_sort(&loading->replay);
  return PUBSUB_OK;
}

/* ---- blocks of before ---- */

static enum pubsub_status take_block(struct loading *loading, struct loaded *loaded,
                                     struct segment *segment) {
  if (loaded->len > segment->bytes || loaded->offset > segment->bytes - loaded->len) {
    return damaged(loading, FILE_LOG, segment->number, loaded->offset, "a block is missing");
  }
  if (replay_take(loaded, segment, loading->file, loaded->offset, loaded->len) == PUBSUB_OK) {
    return PUBSUB_OK;
  }
  return pubsub_error_set(loading->error, PUBSUB_E_NOMEM, "out of memory");
}

/* In the order of files. */
static int by_place(const void *a, const void *b) {
  const struct loaded *x = a, *y = b;
  if (x->segment != y->segment) return x->segment < y->segment ? -1 : 1;
  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static enum pubsub_status take_blocks(struct loading *loading, struct segment *segment,
                                      size_t *next) {
  struct replay *replay = &loading->replay;
  enum pubsub_status status = PUBSUB_OK;
  while (*next < replay->block_count && replay->blocks[*next].segment < segment->number)
    ++*next; /* of a file that is not there any more */
  while (status == PUBSUB_OK && *next < replay->block_count &&
         replay->blocks[*next].segment == segment->number) {
    status = take_block(loading, &replay->blocks[(*next)++], segment);
  }
  return status;
}

/* ---- the log ---- */

static bool proven_later(struct loading *loading, size_t from) {
  return frame_proves(bytes_of(loading), from + 8, loading->store->log.seed, loading->next_frame);
}

/* What a crash left behind the last whole frame goes. */
static enum pubsub_status cut(struct loading *loading, uint64_t number, size_t offset) {
  char name[FOLDER_PATH_BYTES];
  struct folder *folder = &loading->store->log.folder;
  folder_name(folder, FILE_LOG, number, name, sizeof name);
  pubsub_error_set(loading->notice, PUBSUB_OK,
                   "%.300s: what was being written when it ended is cut off at byte %zu", name,
                   offset);
  return folder_cut(folder, FILE_LOG, number, offset, loading->error);
}

/* Looks at each frame; those since the checkpoint are applied. *end: behind the last. */
static enum pubsub_status read_frames(struct loading *loading, const struct file_head *head,
                                      struct segment *segment, bool last, size_t *end) {
  bool since = head->number >= loading->number;
  uint64_t number = head->first;
  struct frame frame;
  enum frame_state state;
  enum pubsub_status status = PUBSUB_OK;
  *end = HEAD_BYTES;
  while ((state = frame_read(bytes_of(loading), *end, head->seed, &frame)) == FRAME_WHOLE &&
         frame.number == number) {
    if (since) {
      status = apply(loading, FILE_LOG, head->number, &frame, segment);
      loading->next_frame = number + 1;
    }
    if (status != PUBSUB_OK) return status;
    *end = frame.end;
    number++;
  }
  if (state == FRAME_NONE) return PUBSUB_OK;
  if (!since || !last || proven_later(loading, *end)) {
    return damaged(loading, FILE_LOG, head->number, *end, "a frame is not whole");
  }
  return cut(loading, head->number, *end);
}

static enum pubsub_status read_log(struct loading *loading, size_t i, size_t *next_block) {
  struct file_head head;
  uint64_t number = loading->logs[i];
  size_t end;
  enum pubsub_status status = open_file(loading, FILE_LOG, number, &head);
  if (status != PUBSUB_OK) return status;
  if (number >= loading->number && head.first != loading->next_frame) {
    return damaged(loading, FILE_LOG, number, 0, "frames are missing before it");
  }
  struct segment *segment = log_add_segment(&loading->store->log, number, bytes_of(loading).len);
  if (!segment) return pubsub_error_set(loading->error, PUBSUB_E_NOMEM, "out of memory");
  status = take_blocks(loading, segment, next_block);
  if (status == PUBSUB_OK) {
    status = read_frames(loading, &head, segment, i + 1 == loading->log_count, &end);
  }
  if (status == PUBSUB_OK) segment->bytes = end;
  if (status == PUBSUB_OK && end < bytes_of(loading).len) { /* room that was reserved */
    status = folder_cut(&loading->store->log.folder, FILE_LOG, number, end, loading->error);
  } else if (status == PUBSUB_OK && number >= loading->number) {
    status = folder_sync(&loading->store->log.folder, FILE_LOG, number, loading->error);
  }
  return status;
}

/* Blocks are taken in the order of files, and needed in that of ids from then on; those that the
 * log adds come behind, in both. */
static enum pubsub_status read_logs(struct loading *loading) {
  struct replay *replay = &loading->replay;
  enum pubsub_status status = PUBSUB_OK;
  size_t next_block = 0;
  if (replay->block_count > 1) {
    qsort(replay->blocks, replay->block_count, sizeof *replay->blocks, by_place);
  }
  bool there = false;
  for (size_t i = 0; i < loading->log_count && status == PUBSUB_OK; i++) {
    if (loading->logs[i] == loading->number) there = true;
    status = read_log(loading, i, &next_block);
  }
  if (status == PUBSUB_OK && !there) {
    return damaged(loading, FILE_LOG, loading->number, 0, "the file is missing");
  }
  return status;
}

/* ---- all ---- */

static enum pubsub_status find_files(struct loading *loading) {
  const struct folder *folder = &loading->store->log.folder;
  uint64_t *checkpoints = NULL;
  size_t count = 0;
  enum pubsub_status status =
      folder_list(folder, FILE_CHECKPOINT, &checkpoints, &count, loading->error);
  if (status == PUBSUB_OK) {
    status = folder_list(folder, FILE_LOG, &loading->logs, &loading->log_count, loading->error);
  }
  loading->number = count > 0 ? checkpoints[count - 1] : 0;
  for (size_t i = 0; i + 1 < count; i++)
    folder_remove(folder, FILE_CHECKPOINT, checkpoints[i]);
  pubsub_free(checkpoints);
  return status;
}

static void take_over(struct loading *loading) {
  struct store *store = loading->store;
  store->starts = loading->replay.starts;
  store->next_number = loading->replay.next_number;
  store->log.checkpoint = loading->number;
  store->log.next_frame = store->log.durable = loading->next_frame;
}

static enum pubsub_status load_all(struct loading *loading) {
  enum pubsub_status status = read_checkpoint(loading);
  if (status == PUBSUB_OK) status = read_logs(loading);
  let_file_go(loading);
  replay_sort(&loading->replay);
  if (status == PUBSUB_OK) status = restore_broker(&loading->replay, loading->error);
  if (status == PUBSUB_OK) take_over(loading);
  return status;
}

/* A first start that did not come to its end leaves a log and no checkpoint; nothing was answered
 * then, and nothing is in it. */
static enum pubsub_status forget_first(struct loading *loading) {
  struct file_head head;
  struct frame frame;
  if (loading->log_count > 1 || loading->logs[0] != 1) {
    return damaged(loading, FILE_CHECKPOINT, 1, 0, "the file is missing");
  }
  enum pubsub_status status = open_file(loading, FILE_LOG, 1, &head);
  if (status != PUBSUB_OK) return status;
  if (frame_read(bytes_of(loading), HEAD_BYTES, head.seed, &frame) != FRAME_NONE) {
    return damaged(loading, FILE_CHECKPOINT, 1, 0, "the file is missing");
  }
  folder_remove(&loading->store->log.folder, FILE_LOG, 1);
  return PUBSUB_OK;
}

enum pubsub_status load_store(struct store *store, struct pubsub_error *notice,
                              struct pubsub_error *error) {
  struct loading loading = {.store = store, .notice = notice, .error = error};
  replay_init(&loading.replay, store->broker);
  enum pubsub_status status = find_files(&loading);
  if (status == PUBSUB_OK && loading.number > 0) {
    status = load_all(&loading);
  } else if (status == PUBSUB_OK && loading.log_count > 0) {
    status = forget_first(&loading);
  }
  let_file_go(&loading);
  replay_clear(&loading.replay);
  pubsub_free(loading.logs);
  return status;
}
