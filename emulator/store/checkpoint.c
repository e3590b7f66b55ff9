#include "store/checkpoint.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include "google/iam/v1/policy.pb-c.h"
#include "model/policy.h"
#include "model/schema.h"
#include "store/codec.h"
#include "store/journal.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define GATHERED_BYTES ((uint64_t)64 << 20) /* copied at most at once */
#define FRAME_PAYLOAD_BYTES ((size_t)1 << 20)

struct making {
  struct store *store;
  struct pubsub_buf frame; /* room for its head, then entries */
  struct file_head head;
  int fd;
  uint64_t offset, frame_number;
  enum pubsub_status status;
};

static void fail(struct making *making, enum pubsub_status status, const char *what) {
  if (making->status != PUBSUB_OK) return;
  making->status = pubsub_error_set(&making->store->log.why, status, "%s a checkpoint in %s: %s",
                                    what, making->store->log.folder.path, strerror(errno));
}

/* ---- frames ---- */

static void flush(struct making *making) {
  struct pubsub_buf *frame = &making->frame;
  if (frame->len <= FRAME_HEAD_BYTES || making->status != PUBSUB_OK) return;
  size_t payload = frame->len - FRAME_HEAD_BYTES, all = frame_bytes(payload);
  if (pubsub_buf_reserve(frame, 8) != PUBSUB_OK) {
    fail(making, PUBSUB_E_NOMEM, "cannot make");
    return;
  }
  uint64_t number = making->frame_number++;
  frame_seal(frame->ptr, payload, making->store->log.seed, number, number);
  if (!file_write(making->fd, frame->ptr, all, making->offset)) {
    fail(making, PUBSUB_E_IO, "cannot write");
  }
  making->offset += all;
  frame->len = FRAME_HEAD_BYTES;
}

static void entry_written(struct making *making, enum pubsub_status status) {
  if (status != PUBSUB_OK) fail(making, status, "cannot make");
  if (making->frame.len >= FRAME_PAYLOAD_BYTES) flush(making);
}

/* ---- entries ---- */

static void add_blocks(struct making *making) {
  const struct log *log = &making->store->log;
  for (struct pubsub_list *at = log->segments.next; at != &log->segments; at = at->next) {
    const struct segment *segment = PUBSUB_CONTAINER_OF(at, struct segment, link);
    for (const struct pubsub_list *link = segment->blocks.next; link != &segment->blocks;
         link = link->next) {
      const struct kept *kept = PUBSUB_CONTAINER_OF(link, struct kept, link);
      enum pubsub_status status = pubsub_buf_reserve(&making->frame, ENTRY_BYTES);
      if (status == PUBSUB_OK) {
        entry_begin(&making->frame, ENTRY_BLOCK);
        entry_number(&making->frame, segment->number);
        entry_number(&making->frame, kept->offset);
        entry_number(&making->frame, kept->block->bytes.len);
        entry_number(&making->frame, kept->first_id);
        entry_number(&making->frame, kept->count);
        entry_number(&making->frame, (uint64_t)kept->time_us);
      }
      entry_written(making, status);
    }
  }
}

static void add_topics(struct making *making) {
  const struct broker *broker = making->store->broker;
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->topics, &it))) {
    const struct topic *topic = PUBSUB_CONTAINER_OF(entry, struct topic, entry);
    entry_written(making, journal_write_topic(topic, &making->frame));
    entry_written(making, journal_write_list(topic->number, &topic->retained, &making->frame));
  }
}

static void add_subscriptions(struct making *making) {
  const struct broker *broker = making->store->broker;
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->subscriptions, &it))) {
    const struct subscription *subscription =
        PUBSUB_CONTAINER_OF(entry, struct subscription, entry);
    entry_written(making, journal_write_subscription(subscription, &making->frame));
    entry_written(making, journal_write_contents(subscription, &making->frame));
  }
}

static void add_snapshots(struct making *making) {
  const struct broker *broker = making->store->broker;
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->snapshots, &it))) {
    const struct snapshot *snapshot = PUBSUB_CONTAINER_OF(entry, struct snapshot, entry);
    entry_written(making, journal_write_snapshot(snapshot, &making->frame));
    entry_written(making,
                  journal_write_list(snapshot->number, &snapshot->messages, &making->frame));
  }
}

static void add_policy(void *user, const char *resource, const Google__Iam__V1__Policy *policy) {
  struct making *making = user;
  entry_written(making, journal_write_policy(resource, policy, &making->frame));
}

static void add_others(struct making *making) {
  const struct broker *broker = making->store->broker;
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->schemas, &it))) {
    const struct schema *schema = PUBSUB_CONTAINER_OF(entry, struct schema, entry);
    entry_written(making, journal_write_schema(schema, &making->frame));
  }
  policies_visit(&broker->policies, add_policy, making);
}

static void add_end(struct making *making) {
  enum pubsub_status status = pubsub_buf_reserve(&making->frame, ENTRY_BYTES);
  if (status == PUBSUB_OK) entry_begin(&making->frame, ENTRY_END);
  entry_written(making, status);
}

static void add_all(struct making *making) {
  entry_written(making, journal_write_counters(making->store, &making->frame));
  add_blocks(making);
  add_topics(making);
  add_subscriptions(making);
  add_snapshots(making);
  add_others(making);
  add_end(making);
  flush(making);
}

/* ---- the file ---- */

static void finish(struct making *making) {
  struct log *log = &making->store->log;
  uint64_t before = log->checkpoint;
  if (making->status == PUBSUB_OK) {
    making->status = folder_publish(&log->folder, &making->head, making->fd, &log->why);
  }
  if (making->status != PUBSUB_OK) {
    folder_discard(&log->folder, &making->head, making->fd);
    return;
  }
  close(making->fd);
  log->checkpoint = making->head.number;
  log->since_checkpoint = 0;
  making->store->checkpoint_bytes = making->offset;
  if (before > 0) folder_remove(&log->folder, FILE_CHECKPOINT, before);
  log_prune(log);
}

/* The log's new file is begun, and what is to be copied into it is on the disk. */
static enum pubsub_status prepare(struct store *store) {
  struct log *log = &store->log;
  uint64_t number = pubsub_list_empty(&log->segments) ? 1 : log_last(log)->number + 1;
  if (log->fd >= 0) {
    if (log_write(log) != PUBSUB_OK || log_sync(log) != PUBSUB_OK) return PUBSUB_E_IO;
    log_trim(log);
  }
  if (number <= log->checkpoint) number = log->checkpoint + 1;
  return log_begin(log, number);
}

enum pubsub_status checkpoint_write(struct store *store) {
  struct making making = {.store = store};
  struct log *log = &store->log;
  enum pubsub_status status = prepare(store);
  if (status != PUBSUB_OK) return status;
  uint64_t first = log->next_frame;
  uint64_t number = log_last(log)->number;
  log_gather(log, GATHERED_BYTES); /* may need more than one file */
  if (log_write(log) != PUBSUB_OK || log_sync(log) != PUBSUB_OK) return PUBSUB_E_IO;
  making.head = (struct file_head){
      .kind = FILE_CHECKPOINT, .seed = log->seed, .number = number, .first = first};
  making.offset = HEAD_BYTES;
  making.status = folder_create(&log->folder, &making.head, &making.fd, &log->why);
  if (making.status != PUBSUB_OK) return making.status;
  making.status = pubsub_buf_reserve(&making.frame, FRAME_HEAD_BYTES);
  making.frame.len = FRAME_HEAD_BYTES;
  if (making.status == PUBSUB_OK) add_all(&making);
  finish(&making);
  pubsub_buf_clear(&making.frame);
  return making.status;
}
