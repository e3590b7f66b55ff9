/* The callers' half of a subscriber: public calls, on any thread, none of which waits for the loop
 * (but close and destroy). */
#include "sub/subscriber.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "sub/receiver.h"

struct pubsub_subscriber {
  char *subscription; /* owned */
  struct pubsub_reservoir reservoir;
  struct pubsub_receiver receiver; /* the loop's */

  struct pubsub_task work; /* posted by callers: new epochs, closes, settling */
  struct {                 /* under the reservoir's mutex */
    bool task_posted, ending;
  } shared;
};

static void lock(struct pubsub_subscriber *subscriber) {
  pubsub_reservoir_lock(&subscriber->reservoir);
}

static void unlock(struct pubsub_subscriber *subscriber) {
  pubsub_reservoir_unlock(&subscriber->reservoir);
}

static void work(struct pubsub_task *task) {
  struct pubsub_subscriber *subscriber = PUBSUB_CONTAINER_OF(task, struct pubsub_subscriber, work);
  lock(subscriber);
  subscriber->shared.task_posted = false;
  unlock(subscriber);
  pubsub_receiver_work(&subscriber->receiver);
}

/* Under the mutex: has the loop look at what was asked. */
static void ask(struct pubsub_subscriber *subscriber) {
  if (subscriber->shared.task_posted || subscriber->shared.ending) return;
  subscriber->shared.task_posted = true;
  pubsub_loop_post(subscriber->receiver.loop, &subscriber->work);
}

/* ---- the subscriber itself ---- */

static void apply_defaults(struct pubsub_subscriber_options *options) {
  if (!options->chunk_rows) options->chunk_rows = 10000;
  if (!options->chunk_bytes) options->chunk_bytes = 8u << 20;
  if (!options->max_reservoir_bytes) options->max_reservoir_bytes = 256u << 20;
  /* Columns grow by copying: small enough that a copy is no matter for the budget. */
  if (options->chunk_bytes > options->max_reservoir_bytes / 32) {
    options->chunk_bytes = options->max_reservoir_bytes / 32;
  }
  if (!options->ack_deadline_s) options->ack_deadline_s = 60;
  if (!options->max_ack_extension_s) options->max_ack_extension_s = 3600;
  /* The service takes a signed number, and none for "none". */
  if (!options->max_outstanding_messages) options->max_outstanding_messages = INT64_MAX;
  if (!options->max_outstanding_bytes) options->max_outstanding_bytes = INT64_MAX;
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
  pubsub_reservoir_clear(&subscriber->reservoir);
  pubsub_free(subscriber->subscription);
  pubsub_free(subscriber);
}

static enum pubsub_status subscriber_init(struct pubsub_subscriber *subscriber,
                                          struct pubsub_channel *channel,
                                          struct pubsub_subscriber_options *options) {
  size_t name_bytes = strlen(options->subscription) + 1;
  subscriber->work.run = work;
  enum pubsub_status status =
      pubsub_reservoir_init(&subscriber->reservoir, options->max_reservoir_bytes);
  if (status != PUBSUB_OK) return status;
  subscriber->reservoir.trigger_rows = options->trigger_rows;
  subscriber->reservoir.trigger_bytes = options->trigger_bytes;
  subscriber->subscription = pubsub_alloc(name_bytes);
  if (!subscriber->subscription) return PUBSUB_E_NOMEM;
  memcpy(subscriber->subscription, options->subscription, name_bytes);
  options->subscription = subscriber->subscription;
  return pubsub_receiver_init(&subscriber->receiver, channel, options, &subscriber->reservoir);
}

enum pubsub_status pubsub_subscriber_create(struct pubsub_channel *channel,
                                            const struct pubsub_subscriber_options *asked,
                                            struct pubsub_subscriber **out,
                                            struct pubsub_error *error) {
  struct pubsub_subscriber_options options = *asked;
  apply_defaults(&options);
  enum pubsub_status status = check(&options, error);
  if (status != PUBSUB_OK) return status;
  struct pubsub_subscriber *subscriber = pubsub_alloc_zero(1, sizeof *subscriber);
  if (!subscriber) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  status = subscriber_init(subscriber, channel, &options);
  if (status != PUBSUB_OK) {
    subscriber_free(subscriber);
    return pubsub_error_set(error, status, "out of memory");
  }
  *out = subscriber;
  return PUBSUB_OK;
}

/* ---- slots ---- */

/* Under the mutex. *take_opened is NULL afterwards where it was taken. */
static enum pubsub_status open_epoch(struct pubsub_subscriber *subscriber,
                                     struct pubsub_epoch **take_opened,
                                     struct pubsub_error *error) {
  struct pubsub_epoch *opened = *take_opened;
  unsigned long long number = opened->number;
  struct pubsub_epoch *known =
      pubsub_reservoir_find(&subscriber->reservoir, opened->slot, opened->number);
  if (subscriber->reservoir.closing) {
    return pubsub_error_set(error, PUBSUB_E_CLOSED, "the subscriber is closed");
  }
  if (known && known->shared.close_asked) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "slot %u epoch %llu was closed", opened->slot,
                            number);
  }
  if (known) return PUBSUB_OK;
  enum pubsub_status status = pubsub_reservoir_add(&subscriber->reservoir, opened);
  if (status != PUBSUB_OK) {
    return pubsub_error_set(error, status, "slot %u epoch %llu cannot be opened again",
                            opened->slot, number);
  }
  *take_opened = NULL;
  ask(subscriber);
  return PUBSUB_OK;
}

enum pubsub_status pubsub_subscriber_open_slot(struct pubsub_subscriber *subscriber, uint32_t slot,
                                               uint64_t epoch, uint32_t delay_ms,
                                               struct pubsub_error *error) {
  struct pubsub_epoch *opened =
      pubsub_epoch_new(slot, epoch, delay_ms, subscriber->reservoir.blocks);
  if (!opened) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  lock(subscriber);
  enum pubsub_status status = open_epoch(subscriber, &opened, error);
  unlock(subscriber);
  pubsub_epoch_free(opened);
  return status;
}

static void close_epoch(struct pubsub_subscriber *subscriber, struct pubsub_epoch *epoch,
                        enum pubsub_close_mode mode) {
  epoch->shared.close_asked = true;
  if (mode == PUBSUB_CLOSE_GIVE_BACK) epoch->shared.give_back = true;
  ask(subscriber);
}

void pubsub_subscriber_close_slot(struct pubsub_subscriber *subscriber, uint32_t slot,
                                  uint64_t epoch, enum pubsub_close_mode mode) {
  lock(subscriber);
  struct pubsub_epoch *found = pubsub_reservoir_find(&subscriber->reservoir, slot, epoch);
  if (found) close_epoch(subscriber, found, mode);
  unlock(subscriber);
}

void pubsub_subscriber_set_trigger(struct pubsub_subscriber *subscriber, uint64_t rows,
                                   uint64_t bytes) {
  lock(subscriber);
  subscriber->reservoir.trigger_rows = rows;
  subscriber->reservoir.trigger_bytes = bytes;
  ask(subscriber);
  unlock(subscriber);
}

void pubsub_subscriber_report(struct pubsub_subscriber *subscriber, struct pubsub_slot_report *out,
                              size_t capacity, size_t *out_count) {
  size_t count = 0;
  struct pubsub_epoch *epoch = NULL;
  lock(subscriber);
  for (; (epoch = pubsub_reservoir_next(&subscriber->reservoir, epoch)); count++) {
    if (count >= capacity) continue;
    pubsub_epoch_report(epoch, &out[count]);
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
  struct pubsub_epoch *found = pubsub_reservoir_find(&subscriber->reservoir, slot, epoch);
  if (found) *out = found->shared.error;
  unlock(subscriber);
}

/* ---- chunks ---- */

/* Under the mutex. NULL: there is no such chunk. */
static struct pubsub_held *find_held(struct pubsub_subscriber *subscriber, uint32_t slot,
                                     uint64_t epoch, uint64_t seq) {
  struct pubsub_epoch *found = pubsub_reservoir_find(&subscriber->reservoir, slot, epoch);
  return found ? pubsub_epoch_held(found, seq) : NULL;
}

size_t pubsub_subscriber_chunk_sizes(struct pubsub_subscriber *subscriber, uint32_t slot,
                                     uint64_t epoch, uint64_t from_seq,
                                     struct pubsub_chunk_size *out, size_t capacity) {
  size_t count = 0;
  lock(subscriber);
  struct pubsub_epoch *found = pubsub_reservoir_find(&subscriber->reservoir, slot, epoch);
  for (uint64_t seq = from_seq; found && count < capacity; seq++) {
    struct pubsub_held *held = pubsub_epoch_held(found, seq);
    if (!held) break;
    out[count++] = (struct pubsub_chunk_size){held->rows, held->bytes, held->oldest_publish_us};
  }
  unlock(subscriber);
  return count;
}

enum pubsub_status pubsub_subscriber_chunk(struct pubsub_subscriber *subscriber, uint32_t slot,
                                           uint64_t epoch, uint64_t seq, struct pubsub_chunk **out,
                                           struct pubsub_error *error) {
  lock(subscriber);
  struct pubsub_held *held = find_held(subscriber, slot, epoch, seq);
  struct pubsub_chunk *chunk = held ? held->shared.chunk : NULL;
  if (chunk) pubsub_chunk_ref(chunk);
  unlock(subscriber);
  *out = chunk;
  if (chunk) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_GONE, "slot %u epoch %llu holds no chunk %llu", slot,
                          (unsigned long long)epoch, (unsigned long long)seq);
}

void pubsub_subscriber_settle(struct pubsub_subscriber *subscriber, uint32_t slot, uint64_t epoch,
                              uint64_t end_seq, enum pubsub_outcome outcome) {
  uint64_t now = pubsub_clock_now_us();
  lock(subscriber);
  struct pubsub_epoch *found = pubsub_reservoir_find(&subscriber->reservoir, slot, epoch);
  if (found && end_seq > found->shared.asked) {
    pubsub_epoch_ask_settle(found, end_seq, outcome == PUBSUB_NACK, now);
    ask(subscriber);
  }
  unlock(subscriber);
}

static uint64_t after(uint32_t timeout_ms) {
  return pubsub_clock_now_us() + (uint64_t)timeout_ms * 1000;
}

/* Under the mutex: why there is no chunk; OK: there may be one later. */
static enum pubsub_status ended(struct pubsub_subscriber *subscriber, struct pubsub_error *error) {
  const struct pubsub_epoch *failed = pubsub_reservoir_failed(&subscriber->reservoir);
  if (subscriber->reservoir.closing)
    return pubsub_error_set(error, PUBSUB_E_CLOSED, "the subscriber is closed");
  if (failed && error) *error = failed->shared.error;
  return failed ? failed->shared.error.status : PUBSUB_OK;
}

enum pubsub_status pubsub_subscriber_next(struct pubsub_subscriber *subscriber, uint32_t timeout_ms,
                                          struct pubsub_chunk **out,
                                          struct pubsub_chunk_place *out_place,
                                          struct pubsub_error *error) {
  uint64_t due = after(timeout_ms);
  enum pubsub_status status = PUBSUB_OK;
  bool late = false;
  lock(subscriber);
  while (!(*out = pubsub_reservoir_take(&subscriber->reservoir, out_place)) && !late &&
         (status = ended(subscriber, error)) == PUBSUB_OK) {
    late = !pubsub_reservoir_wait(&subscriber->reservoir, due);
  }
  unlock(subscriber);
  if (*out || status != PUBSUB_OK) return *out ? PUBSUB_OK : status;
  return pubsub_error_set(error, PUBSUB_E_TIMEOUT, "nothing came from '%.300s' within %u ms",
                          subscriber->subscription, timeout_ms);
}

void pubsub_subscriber_settle_chunk(struct pubsub_subscriber *subscriber,
                                    const struct pubsub_chunk_place *place,
                                    enum pubsub_outcome outcome) {
  uint64_t now = pubsub_clock_now_us();
  lock(subscriber);
  struct pubsub_epoch *found =
      pubsub_reservoir_find(&subscriber->reservoir, place->slot, place->epoch);
  if (found) {
    pubsub_epoch_ask_settle_alone(found, place->seq, outcome == PUBSUB_NACK, now);
    ask(subscriber);
  }
  unlock(subscriber);
}

/* ---- waiting, metrics ---- */

void pubsub_subscriber_wait(struct pubsub_subscriber *subscriber, uint64_t *generation,
                            uint32_t timeout_ms) {
  struct pubsub_reservoir *reservoir = &subscriber->reservoir;
  uint64_t due = after(timeout_ms);
  lock(subscriber);
  while (reservoir->generation == *generation && !reservoir->closing) {
    if (!pubsub_reservoir_wait(reservoir, due)) break;
  }
  *generation = reservoir->generation;
  unlock(subscriber);
}

void pubsub_subscriber_metrics(struct pubsub_subscriber *subscriber,
                               struct pubsub_subscriber_metrics *out) {
  lock(subscriber);
  *out = subscriber->reservoir.metrics;
  unlock(subscriber);
  out->reservoir_bytes = pubsub_blocks_used_bytes(subscriber->reservoir.blocks);
  out->reservoir_peak_bytes = pubsub_blocks_peak_bytes(subscriber->reservoir.blocks);
}

/* ---- the end ---- */

static bool all_closed(struct pubsub_subscriber *subscriber) {
  struct pubsub_epoch *epoch = NULL;
  while ((epoch = pubsub_reservoir_next(&subscriber->reservoir, epoch))) {
    bool failed = epoch->shared.state == PUBSUB_SLOT_FAILED && pubsub_epoch_is_empty(epoch);
    if (epoch->shared.state != PUBSUB_SLOT_CLOSED && !failed) return false;
  }
  return true;
}

enum pubsub_status pubsub_subscriber_close(struct pubsub_subscriber *subscriber,
                                           uint32_t timeout_ms, struct pubsub_error *error) {
  uint64_t due = after(timeout_ms);
  struct pubsub_epoch *epoch = NULL;
  lock(subscriber);
  subscriber->reservoir.closing = true;
  while ((epoch = pubsub_reservoir_next(&subscriber->reservoir, epoch)))
    close_epoch(subscriber, epoch, PUBSUB_CLOSE_GIVE_BACK);
  pubsub_reservoir_changed(&subscriber->reservoir);
  while (!all_closed(subscriber) && pubsub_reservoir_wait(&subscriber->reservoir, due)) {}
  bool closed = all_closed(subscriber);
  unlock(subscriber);
  if (closed) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_TIMEOUT,
                          "some acknowledgements are unconfirmed: the service delivers what it did "
                          "not get again after the deadline");
}

static void end_on_loop(void *user) {
  struct pubsub_subscriber *subscriber = user;
  pubsub_receiver_clear(&subscriber->receiver);
}

void pubsub_subscriber_destroy(struct pubsub_subscriber *subscriber) {
  if (!subscriber) return;
  lock(subscriber);
  subscriber->reservoir.closing = true;
  subscriber->shared.ending = true; /* nothing is posted after what follows */
  pubsub_reservoir_changed(&subscriber->reservoir);
  unlock(subscriber);
  pubsub_loop_call(subscriber->receiver.loop, end_on_loop, subscriber);
  subscriber_free(subscriber);
}
