#include "pub/publisher.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "grpc/routing.h"
#include "proto/publish_encoder.h"
#include "pub/row_block.h"
#include <errno.h>
#include <time.h>

#define CALL_TIMEOUT_US 60000000
#define KEPT_BLOCKS 32

#define REQUEST_OVERHEAD_BYTES 1024

static void apply_defaults(struct pubsub_publisher_options *options) {
  if (!options->max_batch_messages) options->max_batch_messages = PUBSUB_PUBLISH_MAX_MESSAGES;
  if (!options->max_batch_bytes) options->max_batch_bytes = 1000000;
  if (!options->linger_ms) options->linger_ms = 10;
  if (!options->max_requests_in_flight) options->max_requests_in_flight = 8;
  if (!options->max_in_flight_bytes) options->max_in_flight_bytes = 64u << 20;
  if (!options->initial_backoff_ms) options->initial_backoff_ms = 100;
  if (!options->max_backoff_ms) options->max_backoff_ms = 60000;
  if (!options->total_timeout_ms) options->total_timeout_ms = 600000;
}

static enum pubsub_status check(const struct pubsub_publisher_options *options,
                                struct pubsub_error *error) {
  if (!options->topic || !options->topic[0]) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "a topic is required");
  }
  if (options->max_batch_messages > PUBSUB_PUBLISH_MAX_MESSAGES ||
      options->max_batch_bytes > PUBSUB_PUBLISH_MAX_BYTES) {
    return pubsub_error_set(
        error, PUBSUB_E_INVALID,
        "a batch of %u messages and %u bytes is over the service's limits of %u "
        "and %u",
        options->max_batch_messages, options->max_batch_bytes, PUBSUB_PUBLISH_MAX_MESSAGES,
        PUBSUB_PUBLISH_MAX_BYTES);
  }
  return PUBSUB_OK;
}

static void lock(struct pubsub_publisher *publisher) {
  pthread_mutex_lock(&publisher->shared.mutex);
}

static void unlock(struct pubsub_publisher *publisher) {
  pthread_mutex_unlock(&publisher->shared.mutex);
}

static void publisher_free(struct pubsub_publisher *publisher) {
  while (!pubsub_list_empty(&publisher->shared.open)) {
    struct pubsub_request *request =
        PUBSUB_CONTAINER_OF(publisher->shared.open.next, struct pubsub_request, open_link);
    pubsub_list_remove(&request->open_link);
    pubsub_request_unref(request);
  }
  while (!pubsub_list_empty(&publisher->shared.sealed)) {
    struct pubsub_request *request =
        PUBSUB_CONTAINER_OF(publisher->shared.sealed.next, struct pubsub_request, link);
    pubsub_list_remove(&request->link);
    pubsub_request_unref(request);
  }
  pubsub_map_clear(&publisher->shared.keyed);
  pubsub_request_pool_close(publisher->pool);
  pthread_cond_destroy(&publisher->shared.changed);
  pthread_mutex_destroy(&publisher->shared.mutex);
  pubsub_free(publisher->topic);
  pubsub_free(publisher->routing_header);
  pubsub_free(publisher);
}

static enum pubsub_status make_parts(struct pubsub_publisher *publisher) {
  const struct pubsub_publisher_options *options = &publisher->options;
  size_t topic_bytes = strlen(options->topic) + 1;
  struct pubsub_buf head = {0};
  publisher->topic = pubsub_alloc(topic_bytes);
  if (!publisher->topic) return PUBSUB_E_NOMEM;
  memcpy(publisher->topic, options->topic, topic_bytes);
  struct pubsub_view topic = pubsub_view_str(publisher->topic);
  publisher->routing_header = pubsub_routing_header("topic", topic);
  if (!publisher->routing_header || pubsub_publish_encode_topic(&head, topic) != PUBSUB_OK) {
    return PUBSUB_E_NOMEM;
  }
  publisher->batch_limits =
      (struct pubsub_batcher_limits){options->max_batch_messages, options->max_batch_bytes,
                                     head.len, (uint64_t)options->linger_ms * 1000};
  publisher->retry_limits = (struct pubsub_retry_limits){
      (uint64_t)options->initial_backoff_ms * 1000, (uint64_t)options->max_backoff_ms * 1000,
      (uint64_t)options->total_timeout_ms * 1000, CALL_TIMEOUT_US};
  enum pubsub_status status = pubsub_request_pool_new(
      pubsub_view_of(head.ptr, head.len), options->max_batch_bytes, KEPT_BLOCKS, &publisher->pool);
  pubsub_buf_clear(&head);
  return status;
}

enum pubsub_status pubsub_publisher_create(struct pubsub_channel *channel,
                                           const struct pubsub_publisher_options *options,
                                           struct pubsub_publisher **out,
                                           struct pubsub_error *error) {
  struct pubsub_publisher *publisher = pubsub_alloc_zero(1, sizeof *publisher);
  if (!publisher) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&publisher->shared.changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&publisher->shared.mutex, NULL);
  pubsub_list_init(&publisher->shared.open);
  pubsub_list_init(&publisher->shared.sealed);
  pubsub_map_init(&publisher->shared.keyed);
  publisher->channel = channel;
  publisher->owner = pubsub_channel_loop(channel);
  publisher->options = *options;
  publisher->work.run = pubsub_sender_work;
  apply_defaults(&publisher->options);
  enum pubsub_status status = check(&publisher->options, error);
  if (status == PUBSUB_OK && (status = make_parts(publisher)) != PUBSUB_OK) {
    pubsub_error_set(error, status, "out of memory");
  }
  if (status != PUBSUB_OK) {
    publisher_free(publisher);
    return status;
  }
  publisher->options.topic = publisher->topic;
  pubsub_sender_init(publisher);
  *out = publisher;
  return PUBSUB_OK;
}

/* ---- under the mutex ---- */

static void ask(struct pubsub_publisher *publisher) {
  if (publisher->shared.task_posted || publisher->shared.loop_gone) return;
  publisher->shared.task_posted = true;
  pubsub_loop_post(publisher->owner, &publisher->work);
}

void pubsub_publisher_seal(struct pubsub_publisher *publisher, struct pubsub_request *request) {
  pubsub_list_remove(&request->open_link);
  if (request->order.key.len > 0) {
    pubsub_map_remove(&publisher->shared.keyed, &request->open_entry);
  } else {
    publisher->shared.plain = NULL;
  }
  pubsub_list_push_back(&publisher->shared.sealed, &request->link);
}

static void seal_all(struct pubsub_publisher *publisher) {
  while (!pubsub_list_empty(&publisher->shared.open)) {
    pubsub_publisher_seal(publisher, PUBSUB_CONTAINER_OF(publisher->shared.open.next,
                                                         struct pubsub_request, open_link));
  }
  ask(publisher);
}

static struct pubsub_request *open_request(struct pubsub_publisher *publisher,
                                           struct pubsub_view key) {
  if (key.len == 0) return publisher->shared.plain;
  struct pubsub_map_entry *entry = pubsub_map_find(&publisher->shared.keyed, key);
  return entry ? PUBSUB_CONTAINER_OF(entry, struct pubsub_request, open_entry) : NULL;
}

/* The first request without a key has a full block at once: growing copies. */
static struct pubsub_request *new_request(struct pubsub_publisher *publisher,
                                          struct pubsub_view key, size_t bytes) {
  size_t room = publisher->batch_limits.head_bytes + bytes;
  if (key.len == 0 && room < publisher->options.max_batch_bytes) {
    room = publisher->options.max_batch_bytes;
  }
  struct pubsub_request *request = pubsub_request_new(publisher->pool, room, key);
  if (!request) return NULL;
  if (key.len == 0) {
    publisher->shared.plain = request;
  } else if (pubsub_map_insert(&publisher->shared.keyed, &request->open_entry,
                               request->order.key) != PUBSUB_OK) {
    pubsub_request_unref(request);
    return NULL;
  }
  pubsub_list_push_back(&publisher->shared.open, &request->open_link);
  publisher->shared.unfinished_requests++;
  ask(publisher); /* the loop watches over its linger */
  return request;
}

static enum pubsub_status add(struct pubsub_publisher *publisher,
                              const struct pubsub_message *message, size_t bytes, uint64_t now_us) {
  struct pubsub_request *request = open_request(publisher, message->ordering_key);
  if (request && !pubsub_batcher_fits(&publisher->batch_limits, &request->batch, bytes)) {
    pubsub_publisher_seal(publisher, request);
    ask(publisher);
    request = NULL;
  }
  if (!request && !(request = new_request(publisher, message->ordering_key, bytes))) {
    return PUBSUB_E_NOMEM;
  }
  if (pubsub_request_reserve(request, bytes) != PUBSUB_OK ||
      pubsub_request_note_number(request, publisher->shared.next_number,
                                 publisher->options.max_batch_messages) != PUBSUB_OK) {
    return PUBSUB_E_NOMEM;
  }
  publisher->shared.next_number++;
  pubsub_publish_encode(message, request->bytes + request->len);
  request->len += bytes;
  pubsub_batcher_add(&request->batch, bytes, now_us);
  publisher->shared.in_flight_bytes += bytes;
  if (pubsub_batcher_full(&publisher->batch_limits, &request->batch)) {
    pubsub_publisher_seal(publisher, request);
    ask(publisher);
  }
  return PUBSUB_OK;
}

/* Under the mutex. A request costs about a kilobyte beside its messages, which counts where each key has one of its own. */
static bool has_room(const struct pubsub_publisher *publisher) {
  uint64_t bytes = publisher->shared.in_flight_bytes +
                   publisher->shared.unfinished_requests * (uint64_t)REQUEST_OVERHEAD_BYTES;
  return bytes < publisher->options.max_in_flight_bytes;
}

static struct timespec timespec_of(uint64_t due_us) {
  return (struct timespec){(time_t)(due_us / 1000000), (long)(due_us % 1000000) * 1000};
}

static enum pubsub_status failed(struct pubsub_publisher *publisher, struct pubsub_error *error) {
  if (error) *error = publisher->shared.error;
  return publisher->shared.error.status;
}

/* Waits for room for more bytes. */
static enum pubsub_status wait_for_room(struct pubsub_publisher *publisher,
                                        struct pubsub_error *error) {
  if (publisher->shared.error.status != PUBSUB_OK) return failed(publisher, error);
  if (has_room(publisher)) return PUBSUB_OK;
  uint64_t start = pubsub_clock_now_us();
  struct timespec due = timespec_of(start + (uint64_t)publisher->options.total_timeout_ms * 1000);
  enum pubsub_status status = PUBSUB_OK;
  seal_all(publisher);
  while (!has_room(publisher) && publisher->shared.error.status == PUBSUB_OK &&
         status == PUBSUB_OK) {
    if (pthread_cond_timedwait(&publisher->shared.changed, &publisher->shared.mutex, &due) ==
        ETIMEDOUT) {
      status =
          pubsub_error_set(error, PUBSUB_E_TIMEOUT, "topic '%.200s' has taken nothing for %u ms",
                           publisher->topic, publisher->options.total_timeout_ms);
    }
  }
  publisher->shared.metrics.throttled_us += pubsub_clock_now_us() - start;
  if (publisher->shared.error.status != PUBSUB_OK) return failed(publisher, error);
  return status;
}

/* ---- public calls ---- */

static enum pubsub_status measure(struct pubsub_publisher *publisher,
                                  const struct pubsub_message *message, size_t *out_bytes,
                                  struct pubsub_error *error) {
  enum pubsub_status status = pubsub_publish_measure(message, out_bytes, error);
  if (status == PUBSUB_OK && !pubsub_batcher_sendable(&publisher->batch_limits, *out_bytes)) {
    status = pubsub_error_set(error, PUBSUB_E_LIMIT,
                              "it takes %zu bytes in a request; the limit is %u with the topic",
                              *out_bytes, PUBSUB_PUBLISH_MAX_BYTES);
  }
  return status;
}

enum pubsub_status pubsub_publisher_publish(struct pubsub_publisher *publisher,
                                            const struct pubsub_message *messages, size_t count,
                                            struct pubsub_error *error) {
  enum pubsub_status status = PUBSUB_OK;
  uint64_t now = pubsub_clock_now_us();
  for (size_t i = 0; i < count && status == PUBSUB_OK; i++) {
    size_t bytes = 0;
    struct pubsub_error cause = {0};
    status = measure(publisher, &messages[i], &bytes, &cause);
    if (status != PUBSUB_OK) {
      return pubsub_error_set(error, status, "message %zu: %.400s", i, cause.text);
    }
    lock(publisher);
    status = wait_for_room(publisher, error);
    if (status == PUBSUB_OK && (status = add(publisher, &messages[i], bytes, now)) != PUBSUB_OK) {
      pubsub_error_set(error, status, "out of memory");
    }
    unlock(publisher);
  }
  return status;
}

/* Reads the whole block without publishing. */
static enum pubsub_status check_block(struct pubsub_publisher *publisher, struct pubsub_view rows,
                                      size_t count, uint64_t first_row,
                                      struct pubsub_row_block *block, struct pubsub_error *error) {
  struct pubsub_error cause = {0};
  pubsub_row_block_init(block, rows);
  for (size_t i = 0; i < count; i++) {
    size_t bytes;
    enum pubsub_status status = pubsub_row_block_next(block, &cause);
    if (status == PUBSUB_OK) status = measure(publisher, &block->row, &bytes, &cause);
    if (status != PUBSUB_OK) {
      return pubsub_error_set(error, status, "row %llu: %.400s",
                              (unsigned long long)(first_row + i), cause.text);
    }
  }
  if (pubsub_row_block_at_end(block)) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_INVALID, "the block of rows has more than %zu rows",
                          count);
}

enum pubsub_status pubsub_publisher_publish_block(struct pubsub_publisher *publisher,
                                                  const uint8_t *block, size_t block_bytes,
                                                  size_t rows, uint64_t first_row,
                                                  struct pubsub_error *error) {
  struct pubsub_row_block reader;
  struct pubsub_view view = pubsub_view_of(block, block_bytes);
  enum pubsub_status status = check_block(publisher, view, rows, first_row, &reader, error);
  if (status != PUBSUB_OK) return status;
  uint64_t now = pubsub_clock_now_us();
  pubsub_row_block_init(&reader, view);
  lock(publisher);
  status = wait_for_room(publisher, error);
  for (size_t i = 0; i < rows && status == PUBSUB_OK; i++) {
    pubsub_row_block_next(&reader, NULL);
    status = add(publisher, &reader.row, pubsub_publish_field_bytes(&reader.row), now);
    if (status != PUBSUB_OK) pubsub_error_set(error, status, "out of memory");
  }
  unlock(publisher);
  return status;
}

static bool is_reached(const struct pubsub_publisher *publisher, enum pubsub_publish_wait what) {
  return what == PUBSUB_WAIT_ROOM ? has_room(publisher)
                                  : publisher->shared.unfinished_requests == 0;
}

enum pubsub_status pubsub_publisher_wait(struct pubsub_publisher *publisher,
                                         enum pubsub_publish_wait what, uint32_t timeout_ms,
                                         bool *out_reached, struct pubsub_error *error) {
  lock(publisher);
  if (what == PUBSUB_WAIT_IDS || !is_reached(publisher, what)) seal_all(publisher);
  if (!is_reached(publisher, what) && publisher->shared.error.status == PUBSUB_OK) {
    uint64_t start = pubsub_clock_now_us();
    struct timespec due = timespec_of(start + (uint64_t)timeout_ms * 1000);
    while (!is_reached(publisher, what) && publisher->shared.error.status == PUBSUB_OK &&
           pthread_cond_timedwait(&publisher->shared.changed, &publisher->shared.mutex, &due) !=
               ETIMEDOUT) {}
    if (what == PUBSUB_WAIT_ROOM) {
      publisher->shared.metrics.throttled_us += pubsub_clock_now_us() - start;
    }
  }
  *out_reached = is_reached(publisher, what);
  enum pubsub_status status =
      publisher->shared.error.status == PUBSUB_OK ? PUBSUB_OK : failed(publisher, error);
  unlock(publisher);
  return status;
}

enum pubsub_status pubsub_publisher_flush(struct pubsub_publisher *publisher, uint32_t timeout_ms,
                                          struct pubsub_error *error) {
  struct timespec due = timespec_of(pubsub_clock_now_us() + (uint64_t)timeout_ms * 1000);
  enum pubsub_status status = PUBSUB_OK;
  lock(publisher);
  seal_all(publisher);
  while (publisher->shared.unfinished_requests > 0 && status == PUBSUB_OK &&
         publisher->shared.error.status == PUBSUB_OK) {
    if (pthread_cond_timedwait(&publisher->shared.changed, &publisher->shared.mutex, &due) ==
        ETIMEDOUT) {
      status = pubsub_error_set(
          error, PUBSUB_E_TIMEOUT,
          "%llu publish requests to topic '%.200s' have no answer after %u ms",
          (unsigned long long)publisher->shared.unfinished_requests, publisher->topic, timeout_ms);
    }
  }
  if (publisher->shared.error.status != PUBSUB_OK) status = failed(publisher, error);
  unlock(publisher);
  return status;
}

void pubsub_publisher_metrics(struct pubsub_publisher *publisher,
                              struct pubsub_publisher_metrics *out) {
  lock(publisher);
  *out = publisher->shared.metrics;
  out->in_flight_bytes = publisher->shared.in_flight_bytes;
  unlock(publisher);
}

struct ending {
  struct pubsub_task task;
  struct pubsub_publisher *publisher;
};

static void end_on_loop(struct pubsub_task *task) {
  struct pubsub_publisher *publisher = ((struct ending *)task)->publisher;
  pubsub_sender_clear(publisher);
  lock(publisher);
  publisher->shared.loop_gone = true;
  pthread_cond_broadcast(&publisher->shared.changed);
  unlock(publisher);
}

void pubsub_publisher_destroy(struct pubsub_publisher *publisher) {
  if (!publisher) return;
  struct ending ending = {.task.run = end_on_loop, .publisher = publisher};
  lock(publisher);
  publisher->shared.task_posted = true; /* nothing is posted after what follows */
  pubsub_loop_post(publisher->owner, &ending.task);
  while (!publisher->shared.loop_gone) {
    pthread_cond_wait(&publisher->shared.changed, &publisher->shared.mutex);
  }
  unlock(publisher);
  publisher_free(publisher);
}
