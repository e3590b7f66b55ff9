/* The callers' half of a subscriber: public calls, on any thread, none of which waits for the loop (but close and destroy). */
#include "sub/subscriber.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "sub/reservoir.h"
#include <errno.h>
#include <time.h>

#define SMALLEST_MESSAGE_BYTES 128 /* with its ids and offsets */

static void apply_defaults(struct pubsub_subscriber_options *options) {
  if (!options->chunk_rows) options->chunk_rows = 10000;
  if (!options->chunk_bytes) options->chunk_bytes = 8u << 20;
  if (!options->max_reservoir_bytes) options->max_reservoir_bytes = 256u << 20;
  /* Blocks of columns come in powers of two and grow by copying: small enough that one is no matter for the budget. */
  if (options->chunk_bytes > options->max_reservoir_bytes / 32) {
    options->chunk_bytes = options->max_reservoir_bytes / 32;
  }
  if (!options->ack_deadline_s) options->ack_deadline_s = 60;
  if (!options->max_ack_extension_s) options->max_ack_extension_s = 3600;
  /* Bytes are what counts: messages smaller than this are rare. */
  if (!options->max_outstanding_messages) {
    options->max_outstanding_messages = options->max_reservoir_bytes / SMALLEST_MESSAGE_BYTES;
  }
  if (!options->max_outstanding_bytes) {
    options->max_outstanding_bytes = options->max_reservoir_bytes;
  }
}

static enum pubsub_status check(const struct pubsub_subscriber_options *options,
                                struct pubsub_error *error) {
  if (!options->subscription || !options->subscription[0]) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "a subscription is required");
  }
  if (options->ack_deadline_s < 10 || options->ack_deadline_s > 600) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "ack_deadline_s is %u; it must be between 10 and 600",
                            options->ack_deadline_s);
  }
  return PUBSUB_OK;
}

static void subscriber_free(struct pubsub_subscriber *subscriber) {
  while (!pubsub_list_empty(&subscriber->shared.epochs)) {
    struct pubsub_epoch *epoch =
        PUBSUB_CONTAINER_OF(subscriber->shared.epochs.next, struct pubsub_epoch, shared.link);
    pubsub_list_remove(&epoch->shared.link);
    pubsub_epoch_free(epoch);
  }
  pubsub_pool_unref(subscriber->pool);
  pthread_cond_destroy(&subscriber->shared.changed);
  pthread_mutex_destroy(&subscriber->shared.mutex);
  pubsub_free(subscriber->shared.seen);
  pubsub_free(subscriber->subscription);
  pubsub_free(subscriber);
}

enum pubsub_status pubsub_subscriber_create(struct pubsub_channel *channel,
                                            const struct pubsub_subscriber_options *options,
                                            struct pubsub_subscriber **out,
                                            struct pubsub_error *error) {
  struct pubsub_subscriber *subscriber = pubsub_alloc_zero(1, sizeof *subscriber);
  if (!subscriber) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&subscriber->shared.changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&subscriber->shared.mutex, NULL);
  pubsub_list_init(&subscriber->shared.epochs);
  subscriber->channel = channel;
  subscriber->owner = pubsub_channel_loop(channel);
  subscriber->options = *options;
  subscriber->shared.generation = 1;
  subscriber->work.run = pubsub_receiver_work;
  apply_defaults(&subscriber->options);
  enum pubsub_status status = check(&subscriber->options, error);
  if (status != PUBSUB_OK) goto fail;
  size_t name_bytes = strlen(options->subscription) + 1;
  subscriber->subscription = pubsub_alloc(name_bytes);
  status = PUBSUB_E_NOMEM;
  if (!subscriber->subscription) goto no_memory;
  memcpy(subscriber->subscription, options->subscription, name_bytes);
  subscriber->options.subscription = subscriber->subscription;
  if (pubsub_pool_new(subscriber->options.max_reservoir_bytes, &subscriber->pool) != PUBSUB_OK ||
      pubsub_receiver_init(subscriber) != PUBSUB_OK) {
    goto no_memory;
  }
  *out = subscriber;
  return PUBSUB_OK;
no_memory:
  pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
fail:
  subscriber_free(subscriber);
  return status;
}

void pubsub_subscriber_changed(struct pubsub_subscriber *subscriber) {
  subscriber->shared.generation++;
  pthread_cond_broadcast(&subscriber->shared.changed);
}

static void lock(struct pubsub_subscriber *subscriber) {
  pthread_mutex_lock(&subscriber->shared.mutex);
}

static void unlock(struct pubsub_subscriber *subscriber) {
  pthread_mutex_unlock(&subscriber->shared.mutex);
}

/* Under the mutex: has the loop look at what was asked. */
static void ask(struct pubsub_subscriber *subscriber) {
  if (subscriber->shared.task_posted || subscriber->shared.loop_gone) return;
  subscriber->shared.task_posted = true;
  pubsub_loop_post(subscriber->owner, &subscriber->work);
}

static struct pubsub_epoch *find(struct pubsub_subscriber *subscriber, uint32_t slot,
                                 uint64_t number) {
  struct pubsub_list *link = subscriber->shared.epochs.next;
  for (; link != &subscriber->shared.epochs; link = link->next) {
    struct pubsub_epoch *epoch = PUBSUB_CONTAINER_OF(link, struct pubsub_epoch, shared.link);
    if (epoch->slot == slot && epoch->epoch == number) return epoch;
  }
  return NULL;
}

void pubsub_epoch_free(struct pubsub_epoch *epoch) {
  for (uint64_t seq = epoch->shared.first_seq; seq < epoch->shared.sealed; seq++) {
    pubsub_held_free(pubsub_epoch_held(epoch, seq), epoch->subscriber->pool);
  }
  pubsub_free(epoch->shared.chunks);
  pubsub_free(epoch);
}

/* ---- slots ---- */

/* Under the mutex: notes that the epoch was opened. INVALID: a newer or the same one was before. */
static enum pubsub_status note_epoch(struct pubsub_subscriber *subscriber, uint32_t slot,
                                     uint64_t epoch) {
  for (size_t i = 0; i < subscriber->shared.seen_count; i++) {
    if (subscriber->shared.seen[i].slot != slot) continue;
    if (subscriber->shared.seen[i].epoch >= epoch) return PUBSUB_E_INVALID;
    subscriber->shared.seen[i].epoch = epoch;
    return PUBSUB_OK;
  }
  if (subscriber->shared.seen_count == subscriber->shared.seen_cap) {
    size_t cap = subscriber->shared.seen_cap ? subscriber->shared.seen_cap * 2 : 16;
    void *seen = pubsub_realloc(subscriber->shared.seen, cap * sizeof *subscriber->shared.seen);
    if (!seen) return PUBSUB_E_NOMEM;
    subscriber->shared.seen = seen;
    subscriber->shared.seen_cap = cap;
  }
  size_t i = subscriber->shared.seen_count++;
  subscriber->shared.seen[i].slot = slot;
  subscriber->shared.seen[i].epoch = epoch;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_subscriber_open_slot(struct pubsub_subscriber *subscriber, uint32_t slot,
                                               uint64_t epoch, uint32_t delay_ms,
                                               struct pubsub_error *error) {
  struct pubsub_epoch *opened = pubsub_alloc_zero(1, sizeof *opened);
  if (!opened) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  opened->subscriber = subscriber;
  opened->slot = slot;
  opened->epoch = epoch;
  opened->loop.delay_ms = delay_ms;
  pubsub_list_init(&opened->loop.pending);
  lock(subscriber);
  struct pubsub_epoch *known = find(subscriber, slot, epoch);
  enum pubsub_status status = PUBSUB_OK;
  if (subscriber->shared.closing) {
    status = pubsub_error_set(error, PUBSUB_E_CLOSED, "the subscriber is closed");
  } else if (known) {
    if (known->shared.close_asked) {
      status = pubsub_error_set(error, PUBSUB_E_INVALID, "slot %u epoch %llu was closed", slot,
                                (unsigned long long)epoch);
    }
  } else {
    status = note_epoch(subscriber, slot, epoch);
    if (status == PUBSUB_OK) {
      pubsub_list_push_back(&subscriber->shared.epochs, &opened->shared.link);
      opened = NULL;
      ask(subscriber);
    } else {
      pubsub_error_set(error, status, "slot %u epoch %llu cannot be opened again", slot,
                       (unsigned long long)epoch);
    }
  }
  unlock(subscriber);
  pubsub_free(opened);
  return status;
}

static void close_epoch(struct pubsub_epoch *epoch, enum pubsub_close_mode mode) {
  epoch->shared.close_asked = true;
  if (mode == PUBSUB_CLOSE_GIVE_BACK) epoch->shared.give_back = true;
  ask(epoch->subscriber);
}

void pubsub_subscriber_close_slot(struct pubsub_subscriber *subscriber, uint32_t slot,
                                  uint64_t epoch, enum pubsub_close_mode mode) {
  lock(subscriber);
  struct pubsub_epoch *found = find(subscriber, slot, epoch);
  if (found) close_epoch(found, mode);
  unlock(subscriber);
}

static int64_t oldest_receive(const struct pubsub_epoch *epoch) {
  if (epoch->shared.first_seq == epoch->shared.sealed) return 0;
  return pubsub_epoch_held(epoch, epoch->shared.first_seq)->receive_wall_us;
}

void pubsub_subscriber_report(struct pubsub_subscriber *subscriber, struct pubsub_slot_report *out,
                              size_t capacity, size_t *out_count) {
  size_t count = 0;
  lock(subscriber);
  struct pubsub_list *link = subscriber->shared.epochs.next;
  for (; link != &subscriber->shared.epochs; link = link->next, count++) {
    struct pubsub_epoch *epoch = PUBSUB_CONTAINER_OF(link, struct pubsub_epoch, shared.link);
    if (count >= capacity) continue;
    out[count] = (struct pubsub_slot_report){.slot = epoch->slot,
                                             .state = epoch->shared.state,
                                             .epoch = epoch->epoch,
                                             .sealed = epoch->shared.sealed,
                                             .settled = epoch->shared.first_seq,
                                             .sealed_rows = epoch->shared.sealed_rows,
                                             .sealed_bytes = epoch->shared.sealed_bytes,
                                             .backlog_rows = epoch->shared.backlog_rows,
                                             .backlog_bytes = epoch->shared.backlog_bytes,
                                             .oldest_receive_us = oldest_receive(epoch)};
    if (epoch->shared.state == PUBSUB_SLOT_CLOSED && !epoch->shared.reported_closed) {
      epoch->shared.reported_closed = true;
      ask(subscriber);
    }
  }
  unlock(subscriber);
  *out_count = count;
}

void pubsub_subscriber_slot_error(struct pubsub_subscriber *subscriber, uint32_t slot,
                                  uint64_t epoch, struct pubsub_error *out) {
  *out = (struct pubsub_error){0};
  lock(subscriber);
  struct pubsub_epoch *found = find(subscriber, slot, epoch);
  if (found) *out = found->shared.error;
  unlock(subscriber);
}

/* ---- chunks ---- */

size_t pubsub_subscriber_chunk_sizes(struct pubsub_subscriber *subscriber, uint32_t slot,
                                     uint64_t epoch, uint64_t from_seq,
                                     struct pubsub_chunk_size *out, size_t capacity) {
  size_t count = 0;
  lock(subscriber);
  struct pubsub_epoch *found = find(subscriber, slot, epoch);
  if (found && from_seq >= found->shared.first_seq) {
    for (uint64_t seq = from_seq; seq < found->shared.sealed && count < capacity; seq++) {
      struct pubsub_held *held = pubsub_epoch_held(found, seq);
      out[count++] = (struct pubsub_chunk_size){held->rows, held->bytes, held->oldest_publish_us};
    }
  }
  unlock(subscriber);
  return count;
}

enum pubsub_status pubsub_subscriber_chunk(struct pubsub_subscriber *subscriber, uint32_t slot,
                                           uint64_t epoch, uint64_t seq, struct pubsub_chunk **out,
                                           struct pubsub_error *error) {
  struct pubsub_chunk *chunk = NULL;
  lock(subscriber);
  struct pubsub_epoch *found = find(subscriber, slot, epoch);
  if (found && seq >= found->shared.first_seq && seq < found->shared.sealed) {
    chunk = pubsub_epoch_held(found, seq)->chunk;
    if (chunk) pubsub_chunk_ref(chunk);
  }
  unlock(subscriber);
  *out = chunk;
  if (chunk) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_GONE, "slot %u epoch %llu holds no chunk %llu", slot,
                          (unsigned long long)epoch, (unsigned long long)seq);
}

void pubsub_epoch_order(struct pubsub_epoch *epoch, uint64_t end_seq, bool nack, uint64_t now_us) {
  if (end_seq > epoch->shared.sealed) end_seq = epoch->shared.sealed;
  for (; epoch->shared.next_order < end_seq; epoch->shared.next_order++) {
    struct pubsub_held *held = pubsub_epoch_held(epoch, epoch->shared.next_order);
    held->state = PUBSUB_HELD_ORDERED;
    held->nack = nack;
    held->ordered_us = now_us;
    pubsub_chunk_unref(held->chunk);
    held->chunk = NULL;
  }
}

void pubsub_subscriber_settle(struct pubsub_subscriber *subscriber, uint32_t slot, uint64_t epoch,
                              uint64_t end_seq, enum pubsub_outcome outcome) {
  uint64_t now = pubsub_clock_now_us();
  lock(subscriber);
  struct pubsub_epoch *found = find(subscriber, slot, epoch);
  if (found && end_seq > found->shared.next_order) {
    pubsub_epoch_order(found, end_seq, outcome == PUBSUB_NACK, now);
    ask(subscriber);
  }
  unlock(subscriber);
}

/* ---- waiting, metrics ---- */

static struct timespec deadline_after(uint32_t timeout_ms) {
  uint64_t due = pubsub_clock_now_us() + (uint64_t)timeout_ms * 1000;
  return (struct timespec){(time_t)(due / 1000000), (long)(due % 1000000) * 1000};
}

void pubsub_subscriber_wait(struct pubsub_subscriber *subscriber, uint64_t *generation,
                            uint32_t timeout_ms) {
  struct timespec deadline = deadline_after(timeout_ms);
  lock(subscriber);
  while (subscriber->shared.generation == *generation && !subscriber->shared.closing) {
    if (pthread_cond_timedwait(&subscriber->shared.changed, &subscriber->shared.mutex, &deadline) ==
        ETIMEDOUT) {
      break;
    }
  }
  *generation = subscriber->shared.generation;
  unlock(subscriber);
}

void pubsub_subscriber_metrics(struct pubsub_subscriber *subscriber,
                               struct pubsub_subscriber_metrics *out) {
  lock(subscriber);
  *out = subscriber->shared.metrics;
  unlock(subscriber);
  out->reservoir_bytes = pubsub_pool_used_bytes(subscriber->pool);
  out->reservoir_peak_bytes = pubsub_pool_peak_bytes(subscriber->pool);
}

/* ---- the end ---- */

static bool all_closed(struct pubsub_subscriber *subscriber) {
  struct pubsub_list *link = subscriber->shared.epochs.next;
  for (; link != &subscriber->shared.epochs; link = link->next) {
    struct pubsub_epoch *epoch = PUBSUB_CONTAINER_OF(link, struct pubsub_epoch, shared.link);
    bool empty = epoch->shared.first_seq == epoch->shared.sealed && epoch->shared.pending == 0;
    if (epoch->shared.state != PUBSUB_SLOT_CLOSED &&
        !(epoch->shared.state == PUBSUB_SLOT_FAILED && empty)) {
      return false;
    }
  }
  return true;
}

enum pubsub_status pubsub_subscriber_close(struct pubsub_subscriber *subscriber,
                                           uint32_t timeout_ms, struct pubsub_error *error) {
  struct timespec deadline = deadline_after(timeout_ms);
  enum pubsub_status status = PUBSUB_OK;
  lock(subscriber);
  subscriber->shared.closing = true;
  struct pubsub_list *link = subscriber->shared.epochs.next;
  for (; link != &subscriber->shared.epochs; link = link->next) {
    close_epoch(PUBSUB_CONTAINER_OF(link, struct pubsub_epoch, shared.link),
                PUBSUB_CLOSE_GIVE_BACK);
  }
  pubsub_subscriber_changed(subscriber);
  while (!all_closed(subscriber)) {
    if (pthread_cond_timedwait(&subscriber->shared.changed, &subscriber->shared.mutex, &deadline) ==
        ETIMEDOUT) {
      status = pubsub_error_set(error, PUBSUB_E_TIMEOUT,
                                "some acknowledgements are unconfirmed: the service delivers what "
                                "it did not get again after the deadline");
      break;
    }
  }
  unlock(subscriber);
  return status;
}

struct ending {
  struct pubsub_task task;
  struct pubsub_subscriber *subscriber;
};

static void end_on_loop(struct pubsub_task *task) {
  struct pubsub_subscriber *subscriber = ((struct ending *)task)->subscriber;
  pubsub_receiver_clear(subscriber);
  lock(subscriber);
  subscriber->shared.loop_gone = true;
  pthread_cond_broadcast(&subscriber->shared.changed);
  unlock(subscriber);
}

void pubsub_subscriber_destroy(struct pubsub_subscriber *subscriber) {
  if (!subscriber) return;
  struct ending ending = {.task.run = end_on_loop, .subscriber = subscriber};
  lock(subscriber);
  subscriber->shared.closing = true;
  subscriber->shared.task_posted = true; /* nothing is posted after what follows */
  pthread_cond_broadcast(&subscriber->shared.changed);
  pubsub_loop_post(subscriber->owner, &ending.task);
  while (!subscriber->shared.loop_gone) {
    pthread_cond_wait(&subscriber->shared.changed, &subscriber->shared.mutex);
  }
  unlock(subscriber);
  subscriber_free(subscriber);
}
