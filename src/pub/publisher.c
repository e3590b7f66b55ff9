#include "pub/publisher.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "proto/publish_encoder.h"
#include "pub/row_block.h"

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

enum pubsub_status pubsub_publisher_create(struct pubsub_channel *channel,
                                           const struct pubsub_publisher_options *options,
                                           struct pubsub_publisher **out,
                                           struct pubsub_error *error) {
  struct pubsub_publisher_options complete = *options;
  apply_defaults(&complete);
  enum pubsub_status status = check(&complete, error);
  if (status != PUBSUB_OK) return status;
  struct pubsub_publisher *publisher = pubsub_alloc_zero(1, sizeof *publisher);
  if (!publisher) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  status = pubsub_sender_init(&publisher->sender, channel, &complete);
  if (status != PUBSUB_OK) {
    pubsub_sender_clear(&publisher->sender);
    pubsub_free(publisher);
    return pubsub_error_set(error, status, "out of memory");
  }
  publisher->options = complete;
  publisher->options.topic = publisher->sender.topic;
  *out = publisher;
  return PUBSUB_OK;
}

void pubsub_publisher_destroy(struct pubsub_publisher *publisher) {
  if (!publisher) return;
  pubsub_sender_end(&publisher->sender);
  pubsub_sender_clear(&publisher->sender);
  pubsub_free(publisher);
}

/* ---- under the mutex ---- */

static bool has_failed(const struct pubsub_publisher *publisher) {
  return publisher->sender.shared.error.status != PUBSUB_OK;
}

static enum pubsub_status failure(const struct pubsub_publisher *publisher,
                                  struct pubsub_error *error) {
  if (has_failed(publisher) && error) *error = publisher->sender.shared.error;
  return publisher->sender.shared.error.status;
}

static void seal_all(struct pubsub_publisher *publisher) {
  pubsub_desk_seal_all(&publisher->sender.shared.desk);
  pubsub_sender_wake(&publisher->sender);
}

static bool is_reached(const struct pubsub_publisher *publisher, enum pubsub_publish_wait what) {
  const struct pubsub_desk *desk = &publisher->sender.shared.desk;
  return what == PUBSUB_WAIT_ROOM ? pubsub_desk_has_room(desk) : desk->unfinished_requests == 0;
}

/* Waits until it is reached, the publisher has failed, or timeout_ms are over. True: reached. */
static bool wait_until(struct pubsub_publisher *publisher, enum pubsub_publish_wait what,
                       uint32_t timeout_ms) {
  uint64_t start_us = pubsub_clock_now_us(), due_us = start_us + (uint64_t)timeout_ms * 1000;
  if (what == PUBSUB_WAIT_IDS || !is_reached(publisher, what)) seal_all(publisher);
  while (!is_reached(publisher, what) && !has_failed(publisher) &&
         pubsub_sender_wait(&publisher->sender, due_us)) {}
  if (what == PUBSUB_WAIT_ROOM)
    publisher->sender.shared.metrics.throttled_us += pubsub_clock_now_us() - start_us;
  return is_reached(publisher, what);
}

static enum pubsub_status wait_for_room(struct pubsub_publisher *publisher,
                                        struct pubsub_error *error) {
  if (has_failed(publisher)) return failure(publisher, error);
  if (is_reached(publisher, PUBSUB_WAIT_ROOM)) return PUBSUB_OK;
  uint32_t timeout_ms = publisher->options.total_timeout_ms;
  bool reached = wait_until(publisher, PUBSUB_WAIT_ROOM, timeout_ms);
  if (reached || has_failed(publisher)) return failure(publisher, error);
  return pubsub_error_set(error, PUBSUB_E_TIMEOUT, "topic '%.200s' has taken nothing for %u ms",
                          publisher->options.topic, timeout_ms);
}

static enum pubsub_status add(struct pubsub_publisher *publisher,
                              const struct pubsub_message *message, size_t bytes, uint64_t now_us,
                              struct pubsub_error *error) {
  enum pubsub_status status =
      pubsub_desk_add(&publisher->sender.shared.desk, message, bytes, now_us);
  pubsub_sender_wake(&publisher->sender);
  return status == PUBSUB_OK ? PUBSUB_OK : pubsub_error_set(error, status, "out of memory");
}

/* ---- public calls ---- */

static enum pubsub_status measure(struct pubsub_publisher *publisher,
                                  const struct pubsub_message *message, size_t *out_bytes,
                                  struct pubsub_error *error) {
  enum pubsub_status status = pubsub_publish_measure(message, out_bytes, error);
  if (status == PUBSUB_OK &&
      !pubsub_batcher_sendable(&publisher->sender.shared.desk.limits, *out_bytes)) {
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
  uint64_t now_us = pubsub_clock_now_us();
  for (size_t i = 0; i < count && status == PUBSUB_OK; i++) {
    size_t bytes = 0;
    struct pubsub_error cause = {0};
    status = measure(publisher, &messages[i], &bytes, &cause);
    if (status != PUBSUB_OK) {
      return pubsub_error_set(error, status, "message %zu: %.400s", i, cause.text);
    }
    pubsub_sender_lock(&publisher->sender);
    status = wait_for_room(publisher, error);
    if (status == PUBSUB_OK) status = add(publisher, &messages[i], bytes, now_us, error);
    pubsub_sender_unlock(&publisher->sender);
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
  uint64_t now_us = pubsub_clock_now_us();
  pubsub_row_block_init(&reader, view);
  pubsub_sender_lock(&publisher->sender);
  status = wait_for_room(publisher, error);
  for (size_t i = 0; i < rows && status == PUBSUB_OK; i++) {
    pubsub_row_block_next(&reader, NULL);
    status = add(publisher, &reader.row, pubsub_publish_field_bytes(&reader.row), now_us, error);
  }
  pubsub_sender_unlock(&publisher->sender);
  return status;
}

enum pubsub_status pubsub_publisher_wait(struct pubsub_publisher *publisher,
                                         enum pubsub_publish_wait what, uint32_t timeout_ms,
                                         bool *out_reached, struct pubsub_error *error) {
  pubsub_sender_lock(&publisher->sender);
  *out_reached = wait_until(publisher, what, timeout_ms);
  enum pubsub_status status = failure(publisher, error);
  pubsub_sender_unlock(&publisher->sender);
  return status;
}

enum pubsub_status pubsub_publisher_flush(struct pubsub_publisher *publisher, uint32_t timeout_ms,
                                          struct pubsub_error *error) {
  pubsub_sender_lock(&publisher->sender);
  bool reached = wait_until(publisher, PUBSUB_WAIT_IDS, timeout_ms);
  enum pubsub_status status = failure(publisher, error);
  if (status == PUBSUB_OK && !reached) {
    status = pubsub_error_set(error, PUBSUB_E_TIMEOUT,
                              "%llu publish requests to topic '%.200s' have no answer after %u ms",
                              (unsigned long long)publisher->sender.shared.desk.unfinished_requests,
                              publisher->options.topic, timeout_ms);
  }
  pubsub_sender_unlock(&publisher->sender);
  return status;
}

void pubsub_publisher_metrics(struct pubsub_publisher *publisher,
                              struct pubsub_publisher_metrics *out) {
  pubsub_sender_lock(&publisher->sender);
  *out = publisher->sender.shared.metrics;
  out->in_flight_bytes = publisher->sender.shared.desk.in_flight_bytes;
  pubsub_sender_unlock(&publisher->sender);
}
