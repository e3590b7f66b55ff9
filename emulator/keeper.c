#include "keeper.h"

#include "barrier.h"
#include "base/container.h"
#include "base/error.h"
#include <string.h>

#define SYNC_EVERY_US ((uint64_t)1000000)
#define SPARE_BYTES ((size_t)1 << 20) /* kept free of messages, so that they can be acknowledged */
#define CHANGE_BYTES                                                                               \
  ((size_t)4096) /* more than any change but a message takes beside its request */

/* ---- committing ---- */

/* Nothing that was not kept is answered from here on. */
static enum pubsub_status break_off(struct keeper *keeper, const struct pubsub_error *why) {
  if (!*keeper->failed) *keeper->why = *why;
  *keeper->failed = true;
  pubsub_loop_stop(keeper->loop);
  return PUBSUB_E_IO;
}

static enum pubsub_status commit(void *user, struct pubsub_error *error) {
  struct keeper *keeper = user;
  struct pubsub_error why = {0};
  if (!keeper->open || !keeper->store.touched) return PUBSUB_OK;
  if (store_commit(&keeper->store, &why) == PUBSUB_OK) return PUBSUB_OK;
  if (error) *error = why;
  return break_off(keeper, &why);
}

enum pubsub_status keeper_commit(struct keeper *keeper, struct pubsub_error *error) {
  return commit(keeper, error);
}

static void arm_sync(struct keeper *keeper) {
  if (keeper->store.sync != STORE_SYNC_INTERVAL || pubsub_timer_is_set(&keeper->sync)) return;
  if (!store_is_dirty(&keeper->store)) return;
  pubsub_loop_timer_set(keeper->loop, &keeper->sync,
                        pubsub_loop_now_us(keeper->loop) + SYNC_EVERY_US);
}

static void on_commit(struct pubsub_deferred *deferred) {
  struct keeper *keeper = PUBSUB_CONTAINER_OF(deferred, struct keeper, commit);
  struct pubsub_error why = {0};
  if (commit(keeper, NULL) != PUBSUB_OK) return;
  store_tidy(&keeper->store);
  if (keeper->store.log.failed) {
    store_commit(&keeper->store, &why);
    break_off(keeper, &why);
    return;
  }
  arm_sync(keeper);
}

static void on_sync(struct pubsub_timer *timer) {
  struct keeper *keeper = PUBSUB_CONTAINER_OF(timer, struct keeper, sync);
  struct pubsub_error why = {0};
  if (store_flush(&keeper->store, &why) != PUBSUB_OK) break_off(keeper, &why);
}

static void on_touched(void *user) {
  struct keeper *keeper = user;
  pubsub_loop_defer(keeper->loop, &keeper->commit);
}

/* ---- life ---- */

enum pubsub_status keeper_open(struct keeper *keeper, struct pubsub_loop *loop, const char *path,
                               enum store_sync sync, struct broker *broker,
                               struct pubsub_error *notice, struct pubsub_error *error) {
  keeper->loop = loop;
  keeper->commit.run = on_commit;
  keeper->sync.run = on_sync;
  pubsub_list_init(&keeper->commit.link);
  enum pubsub_status status = store_open(&keeper->store, path, sync, broker, notice, error);
  if (status != PUBSUB_OK) return status;
  keeper->store.on_touched = on_touched;
  keeper->store.user = keeper;
  keeper->open = true;
  return PUBSUB_OK;
}

bool keeper_has_before(const struct keeper *keeper) {
  return keeper->open && !keeper->store.fresh;
}

struct pubsub_bytestream *keeper_guard(struct keeper *keeper,
                                       struct pubsub_bytestream *take_stream) {
  return keeper->open ? barrier_new(take_stream, commit, keeper) : take_stream;
}

void keeper_close(struct keeper *keeper) {
  if (!keeper->open) return;
  keeper->open = false;
  store_close(&keeper->store);
  pubsub_loop_defer_cancel(keeper->loop, &keeper->commit);
  pubsub_loop_timer_cancel(keeper->loop, &keeper->sync);
}

/* ---- room ---- */

static bool begins_with(const char *text, const char *start) {
  return strncmp(text, start, strlen(start)) == 0;
}

/* Pulls and streams count attempts, where there is room; what they acknowledge is looked at with
 * it. */
static bool only_reads(const char *path) {
  static const char *const readers[] = {"Get",  "List",     "Pull",   "StreamingPull",
                                        "Test", "Validate", "Command"};
  const char *name = strrchr(path, '/') + 1;
  if (!begins_with(path, "/google.")) return true;
  for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
    if (begins_with(name, readers[i])) return true;
  }
  return false;
}

bool keeper_admit(struct keeper *keeper, struct call *call, struct pubsub_view request) {
  const char *path = call->method->path;
  size_t bytes = request.len + CHANGE_BYTES;
  if (!keeper->open || only_reads(path)) return true;
  if (strcmp(path, "/google.pubsub.v1.Publisher/Publish") == 0) bytes += SPARE_BYTES;
  struct journal *journal = &keeper->store.journal;
  if (journal->ops->reserve(journal, bytes)) return true;
  call_fail(call, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "nothing can be kept: %s", journal->problem);
  return false;
}
