#include "store/log.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include "store/codec.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ROOM_BYTES ((uint64_t)4 << 20) /* reserved ahead */

#define FRAME_BYTES ((size_t)1 << 20) /* longer ones only where one entry is */
#define INSERTED_BYTES ((size_t)4096)
#define MOST_KEPT_BYTES ((size_t)4 << 20)

/* ---- life ---- */

void log_init(struct log *log) {
  *log = (struct log){.folder = {.fd = -1, .lock = -1}, .fd = -1, .next_frame = 1, .durable = 1};
  pubsub_list_init(&log->segments);
}

static struct segment *segment_at(const struct pubsub_list *link) {
  return PUBSUB_CONTAINER_OF(link, struct segment, link);
}

static void free_kept(struct kept *kept) {
  pubsub_list_remove(&kept->link);
  pubsub_free(kept);
}

static void free_segment(struct segment *segment) {
  while (!pubsub_list_empty(&segment->blocks)) {
    struct kept *kept = PUBSUB_CONTAINER_OF(segment->blocks.next, struct kept, link);
    kept->block->keeping = NULL;
    free_kept(kept);
  }
  pubsub_list_remove(&segment->link);
  pubsub_free(segment);
}

static void let_inserts_go(struct log *log) {
  for (size_t i = 0; i < log->insert_count; i++)
    block_unref(log->inserts[i].block);
  log->insert_count = log->insert_bytes = 0;
}

void log_clear(struct log *log) {
  let_inserts_go(log);
  while (!pubsub_list_empty(&log->segments))
    free_segment(segment_at(log->segments.next));
  if (log->fd >= 0) close(log->fd);
  pubsub_buf_clear(&log->pending);
  pubsub_free(log->spare);
  folder_close(&log->folder);
  log_init(log);
}

struct segment *log_last(const struct log *log) {
  return segment_at(log->segments.prev);
}

struct segment *log_add_segment(struct log *log, uint64_t number, uint64_t bytes) {
  struct segment *segment = pubsub_alloc_zero(1, sizeof *segment);
  if (!segment) return NULL;
  segment->log = log;
  segment->number = number;
  segment->bytes = bytes;
  pubsub_list_init(&segment->blocks);
  pubsub_list_push_back(&log->segments, &segment->link);
  return segment;
}

enum pubsub_status log_begin(struct log *log, uint64_t number) {
  struct file_head head = {
      .kind = FILE_LOG, .seed = log->seed, .number = number, .first = log->next_frame};
  int fd;
  if (folder_create(&log->folder, &head, &fd, &log->why) != PUBSUB_OK) return PUBSUB_E_IO;
  if (!log_add_segment(log, number, HEAD_BYTES)) {
    folder_discard(&log->folder, &head, fd);
    return pubsub_error_set(&log->why, PUBSUB_E_NOMEM, "out of memory");
  }
  if (folder_publish(&log->folder, &head, fd, &log->why) != PUBSUB_OK) {
    free_segment(log_last(log));
    folder_discard(&log->folder, &head, fd);
    return PUBSUB_E_IO;
  }
  if (log->fd >= 0) close(log->fd);
  log->fd = fd;
  log->allocated = HEAD_BYTES;
  return PUBSUB_OK;
}

/* ---- room ---- */

static void explain(struct log *log, const char *what) {
  char name[FOLDER_PATH_BYTES];
  folder_name(&log->folder, FILE_LOG, log_last(log)->number, name, sizeof name);
  pubsub_error_set(&log->why, PUBSUB_E_IO, "cannot %s %.300s: %s", what, name, strerror(errno));
}

/* The next file, once this one is long enough. Without room for another this one goes on. */
static void turn_over(struct log *log) {
  const struct segment *last = log_last(log);
  if (last->bytes < SEGMENT_BYTES || log_is_pending(log)) return;
  if (log_sync(log) != PUBSUB_OK) return;
  log_trim(log);
  log_begin(log, last->number + 1);
}

static bool allocate(struct log *log, uint64_t end) {
  if (end <= log->allocated) return true;
  uint64_t generous = end + ROOM_BYTES;
  if (!file_allocate(log->fd, log->allocated, generous)) {
    generous = end;
    if (!file_allocate(log->fd, log->allocated, generous)) return false;
  }
  log->allocated = generous;
  return true;
}

bool log_is_pending(const struct log *log) {
  return log->pending.len > 0;
}

bool log_reserve(struct log *log, size_t bytes) {
  if (log->pending.len + log->insert_bytes > FRAME_BYTES || log->insert_count == LOG_INSERTS) {
    log_write(log);
  }
  if (log->failed) return false;
  turn_over(log);
  size_t frame =
      (log->pending.len ? log->pending.len : FRAME_HEAD_BYTES) + log->insert_bytes + bytes + 8;
  if (!log->spare) log->spare = pubsub_alloc_zero(1, sizeof *log->spare);
  if (!log->spare || pubsub_buf_reserve(&log->pending, bytes + FRAME_HEAD_BYTES + 8) != PUBSUB_OK) {
    pubsub_error_set(&log->why, PUBSUB_E_NOMEM, "out of memory");
    return false;
  }
  if (log->failed || !allocate(log, log_last(log)->bytes + frame)) {
    if (!log->failed) explain(log, "reserve room in");
    log->full = true;
    return false;
  }
  if (log->pending.len == 0) log->pending.len = FRAME_HEAD_BYTES;
  return true;
}

/* ---- writing ---- */

static enum pubsub_status fail(struct log *log, const char *what) {
  explain(log, what);
  log->failed = true;
  return PUBSUB_E_IO;
}

/* The payload's parts: what is pending, with the blocks where they belong. */
static size_t cut_up(const struct log *log, struct pubsub_view *parts) {
  size_t from = FRAME_HEAD_BYTES, count = 0;
  for (size_t i = 0; i < log->insert_count; i++) {
    const struct insert *insert = &log->inserts[i];
    parts[count++] = pubsub_view_of(log->pending.ptr + from, insert->at - from);
    parts[count++] = pubsub_view_of(insert->block->bytes.ptr, insert->block->bytes.len);
    from = insert->at;
  }
  if (from < log->pending.len) {
    parts[count++] = pubsub_view_of(log->pending.ptr + from, log->pending.len - from);
  }
  return count;
}

/* Returns the offset behind it. 0: it could not be written. */
static uint64_t write_frame(struct log *log, uint64_t at) {
  static uint8_t zeros[8];
  struct pubsub_view views[2 * LOG_INSERTS + 1] = {{0}};
  struct iovec parts[2 * LOG_INSERTS + 3] = {{log->pending.ptr, FRAME_HEAD_BYTES}};
  size_t count = cut_up(log, views), bytes = FRAME_HEAD_BYTES;
  size_t padding =
      frame_head_write(log->pending.ptr, views, count, log->seed, log->next_frame, log->durable);
  for (size_t i = 0; i < count; i++) {
    parts[i + 1] = (struct iovec){(void *)(uintptr_t)views[i].ptr, views[i].len};
    bytes += views[i].len;
  }
  parts[count + 1] = (struct iovec){zeros, padding};
  if (!file_write_parts(log->fd, parts, count + 1 + (padding > 0), at)) return 0;
  return at + bytes + padding;
}

enum pubsub_status log_write(struct log *log) {
  if (log->failed) return PUBSUB_E_IO;
  if (log->pending.len <= FRAME_HEAD_BYTES) {
    log->pending.len = 0;
    return PUBSUB_OK;
  }
  struct segment *last = log_last(log);
  uint64_t end = write_frame(log, last->bytes);
  if (end == 0) fail(log, "write");
  log->pending.len = 0;
  let_inserts_go(log);
  if (log->failed) return PUBSUB_E_IO;
  log->next_frame++;
  log->since_checkpoint += end - last->bytes;
  last->bytes = end;
  if (log->pending.cap > MOST_KEPT_BYTES) pubsub_buf_clear(&log->pending);
  return PUBSUB_OK;
}

/* Of before the checkpoint, and without a block: what the last checkpoint says of it is over. */
static void remove_emptied(struct log *log) {
  if (log->untold) return;
  struct pubsub_list *link = log->segments.next, *next;
  for (; link != &log->segments; link = next) {
    struct segment *segment = segment_at(link);
    next = link->next;
    if (segment->number >= log->checkpoint || segment->moved_out ||
        !pubsub_list_empty(&segment->blocks)) {
      continue;
    }
    folder_remove(&log->folder, FILE_LOG, segment->number);
    free_segment(segment);
  }
  log->emptied = false;
}

enum pubsub_status log_sync(struct log *log) {
  if (log->failed) return PUBSUB_E_IO;
  if (log->durable < log->next_frame && fdatasync(log->fd) != 0) return fail(log, "sync");
  log->durable = log->next_frame;
  if (log->emptied) remove_emptied(log);
  return PUBSUB_OK;
}

void log_trim(struct log *log) {
  if (log->fd < 0 || log->failed) return;
  uint64_t used = log_last(log)->bytes;
  if (used < log->allocated && ftruncate(log->fd, (off_t)used) == 0) log->allocated = used;
}

/* ---- blocks ---- */

static void on_block_freed(struct keeping *keeping) {
  struct kept *kept = PUBSUB_CONTAINER_OF(keeping, struct kept, keeping);
  struct segment *segment = kept->segment;
  segment->live_bytes -= kept->block->bytes.len;
  free_kept(kept);
  if (pubsub_list_empty(&segment->blocks)) segment->log->emptied = true;
}

static void keep(struct kept *kept, struct segment *segment, uint64_t offset, struct block *block) {
  pubsub_list_init(&kept->link);
  kept->keeping.on_block_freed = on_block_freed;
  kept->segment = segment;
  kept->block = block;
  kept->offset = offset;
  segment->live_bytes += block->bytes.len;
  pubsub_list_push_back(&segment->blocks, &kept->link);
  block->keeping = &kept->keeping;
}

/* Large ones are written from where they are. */
static void add_block(struct log *log, struct kept *kept, struct block *block) {
  struct pubsub_buf *pending = &log->pending;
  size_t len = block->bytes.len;
  entry_number(pending, len);
  keep(kept, log_last(log), log_last(log)->bytes + pending->len + log->insert_bytes, block);
  if (len >= INSERTED_BYTES && log->insert_count < LOG_INSERTS) {
    block->refs++;
    log->inserts[log->insert_count++] = (struct insert){pending->len, block};
    log->insert_bytes += len;
  } else {
    memcpy(pending->ptr + pending->len, block->bytes.ptr, len);
    pending->len += len;
  }
}

void log_keep(struct log *log, struct block *block, uint64_t first_id, size_t count,
              int64_t time_us) {
  struct kept *kept = log->spare;
  log->spare = NULL;
  *kept = (struct kept){.first_id = first_id, .count = count, .time_us = time_us};
  add_block(log, kept, block);
}

enum pubsub_status log_keep_at(struct segment *segment, uint64_t offset, struct block *block,
                               uint64_t first_id, size_t count, int64_t time_us) {
  struct kept *kept = pubsub_alloc_zero(1, sizeof *kept);
  if (!kept) return PUBSUB_E_NOMEM;
  *kept = (struct kept){.first_id = first_id, .count = count, .time_us = time_us};
  keep(kept, segment, offset, block);
  return PUBSUB_OK;
}

static void move(struct log *log, struct kept *kept) {
  size_t len = kept->block->bytes.len;
  entry_begin(&log->pending, ENTRY_MOVED);
  kept->segment->live_bytes -= len;
  kept->segment->moved_out = true;
  pubsub_list_remove(&kept->link);
  add_block(log, kept, kept->block);
}

/* False: no room, or enough was copied. */
static bool gather_from(struct log *log, struct segment *segment, uint64_t *most_bytes) {
  while (!pubsub_list_empty(&segment->blocks)) {
    struct kept *kept = PUBSUB_CONTAINER_OF(segment->blocks.next, struct kept, link);
    size_t len = kept->block->bytes.len;
    if (len > *most_bytes || !log_reserve(log, len + ENTRY_BYTES)) return false;
    *most_bytes -= len;
    move(log, kept);
  }
  return true;
}

void log_gather(struct log *log, uint64_t most_bytes) {
  struct pubsub_list *link = log->segments.next;
  for (; link != log->segments.prev; link = link->next) {
    struct segment *segment = segment_at(link);
    if (segment->live_bytes * 2 < segment->bytes && !gather_from(log, segment, &most_bytes)) return;
  }
}

void log_prune(struct log *log) {
  for (struct pubsub_list *link = log->segments.next; link != &log->segments; link = link->next)
    segment_at(link)->moved_out = false;
  log->untold = false;
  remove_emptied(log);
}

uint64_t log_bytes(const struct log *log) {
  uint64_t bytes = 0;
  const struct pubsub_list *link = log->segments.next;
  for (; link != &log->segments; link = link->next)
    bytes += segment_at(link)->bytes;
  return bytes;
}

uint64_t log_live_bytes(const struct log *log) {
  uint64_t bytes = 0;
  const struct pubsub_list *link = log->segments.next;
  for (; link != &log->segments; link = link->next)
    bytes += segment_at(link)->live_bytes;
  return bytes;
}
