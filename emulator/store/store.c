#include "store/store.h"

#include "base/error.h"
#include "base/rng.h"
#include "store/checkpoint.h"
#include "store/journal.h"
#include "store/load.h"

#define CHECKPOINT_EVERY_BYTES ((uint64_t)64 << 20) /* at least */
#define RETRY_BYTES ((uint64_t)4 << 20)

static enum pubsub_status tell(const struct store *store, struct pubsub_error *error) {
  if (error) *error = store->log.why;
  return store->log.why.status == PUBSUB_OK ? PUBSUB_E_IO : store->log.why.status;
}

/* A crash of the first start may have left a file of the log without a checkpoint: nothing was
 * answered then. */
static enum pubsub_status begin(struct store *store, struct pubsub_error *error) {
  struct pubsub_rng rng;
  store->fresh = store->log.checkpoint == 0;
  if (store->fresh) {
    pubsub_rng_seed_random(&rng);
    store->log.seed = (uint32_t)pubsub_rng_next(&rng) | 1;
  }
  store->starts++;
  /* No ack id, etag or serial of before is given out again. */
  store->broker->world.next_serial = store->starts << 40 | 1;
  return checkpoint_write(store) == PUBSUB_OK ? PUBSUB_OK : tell(store, error);
}

enum pubsub_status store_open(struct store *store, const char *path, enum store_sync sync,
                              struct broker *broker, struct pubsub_error *notice,
                              struct pubsub_error *error) {
  *store = (struct store){
      .journal.ops = &store_journal_ops, .broker = broker, .sync = sync, .next_number = 1};
  log_init(&store->log);
  enum pubsub_status status = folder_open(&store->log.folder, path, error);
  if (status == PUBSUB_OK) status = load_store(store, notice, error);
  if (status == PUBSUB_OK) status = begin(store, error);
  if (status == PUBSUB_OK) {
    broker->world.journal = &store->journal;
  } else {
    log_clear(&store->log);
  }
  return status;
}

enum pubsub_status store_commit(struct store *store, struct pubsub_error *error) {
  enum pubsub_status status = log_write(&store->log);
  if (status == PUBSUB_OK && store->promised && store->sync == STORE_SYNC_ALWAYS) {
    status = log_sync(&store->log);
  }
  store->promised = store->touched = false;
  return status == PUBSUB_OK ? status : tell(store, error);
}

enum pubsub_status store_flush(struct store *store, struct pubsub_error *error) {
  if (log_write(&store->log) == PUBSUB_OK && log_sync(&store->log) == PUBSUB_OK) return PUBSUB_OK;
  return tell(store, error);
}

bool store_is_dirty(const struct store *store) {
  return log_is_pending(&store->log) || store->log.durable < store->log.next_frame;
}

/* The log since the last one costs time at a start, what is dead in it room. */
static bool is_due(const struct store *store) {
  const struct log *log = &store->log;
  uint64_t since = log->since_checkpoint;
  if (since < store->retry_at) return false;
  if (since > CHECKPOINT_EVERY_BYTES + 4 * store->checkpoint_bytes) return true;
  return log->full && log_live_bytes(log) * 2 < log_bytes(log);
}

void store_tidy(struct store *store) {
  if (store->log.failed || !is_due(store)) return;
  bool made = checkpoint_write(store) == PUBSUB_OK;
  store->log.full = false;
  store->retry_at = made ? 0 : store->log.since_checkpoint + RETRY_BYTES;
}

void store_close(struct store *store) {
  if (!store->broker) return;
  store->broker->world.journal = NULL;
  if (store_flush(store, NULL) == PUBSUB_OK) log_trim(&store->log);
  log_clear(&store->log);
  store->broker = NULL;
}
