#include "store/restore.h"

#include "base/container.h"
#include "base/error.h"
#include "model/backlog.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- messages ---- */

/* Where the search for ids, which come in order, stands. */
struct cursor {
  const struct replay *replay;
  size_t block, at; /* `at`: behind the last span of the block that was read */
  uint64_t next_id; /* of the span behind it */
};

static enum pubsub_status no_bytes(const struct replay *replay, size_t block, uint64_t id,
                                   struct pubsub_error *error) {
  uint64_t log = block < replay->block_count ? replay->blocks[block].segment : 0;
  return pubsub_error_set(error, PUBSUB_E_INVALID,
                          "message %" PRIu64 " is not there: log-%010" PRIu64
                          " is missing, or not the one that belongs to the checkpoint",
                          id, log);
}

/* Fills the message's place. False: the id is in no block. */
static bool seek(struct cursor *cursor, uint64_t id, struct message *out) {
  const struct replay *replay = cursor->replay;
  while (cursor->block < replay->block_count &&
         replay->blocks[cursor->block].first_id + replay->blocks[cursor->block].count <= id) {
    cursor->block++;
    cursor->next_id = 0;
  }
  if (cursor->block == replay->block_count) return false;
  const struct loaded *loaded = &replay->blocks[cursor->block];
  if (!loaded->block || loaded->first_id > id) return false;
  if (cursor->next_id == 0) {
    cursor->next_id = loaded->first_id;
    cursor->at = 0;
  }
  struct pubsub_view bytes = pubsub_view_of(loaded->block->bytes.ptr, loaded->block->bytes.len);
  while (cursor->next_id <= id) {
    if (!replay_span(bytes, &cursor->at, &out->offset, &out->len)) return false;
    cursor->next_id++;
  }
  out->block = loaded->block;
  out->id = id;
  out->publish_time_us = loaded->time_us;
  return true;
}

/* A message of a holder goes to its place. */
typedef enum pubsub_status place_fn(void *user, struct message *take_message,
                                    const struct holding *holding);

static enum pubsub_status place_all(struct replay *replay, struct holder *holder, place_fn *place,
                                    void *user, struct pubsub_error *error) {
  struct cursor cursor = {.replay = replay};
  enum pubsub_status status = PUBSUB_OK;
  holdings_sort(&holder->holdings);
  for (size_t i = 0; i < holder->holdings.count && status == PUBSUB_OK; i++) {
    const struct holding *holding = &holder->holdings.all[i];
    struct message found = {0};
    if (holding->state == HOLDING_GONE) continue;
    if (i > 0 && holding->id == holding[-1].id) continue;
    if (!seek(&cursor, holding->id, &found)) {
      return no_bytes(replay, cursor.block, holding->id, error);
    }
    struct message *message = message_copy(&found);
    status = message ? place(user, message, holding) : PUBSUB_E_NOMEM;
  }
  if (status != PUBSUB_OK) pubsub_error_set(error, status, "out of memory");
  holdings_clear(&holder->holdings);
  return status;
}

static enum pubsub_status place_in_list(void *user, struct message *message,
                                        const struct holding *holding) {
  struct pubsub_list *list = user;
  (void)holding;
  pubsub_list_push_back(list, &message->link);
  return PUBSUB_OK;
}

static enum pubsub_status place_in_subscription(void *user, struct message *message,
                                                const struct holding *holding) {
  struct subscription *subscription = user;
  message->attempts = holding->attempts;
  if (holding->state == HOLDING_HELD) return backlog_add(subscription, message);
  message->state = MESSAGE_ACKNOWLEDGED;
  pubsub_list_push_back(&subscription->retained, &message->link);
  return PUBSUB_OK;
}

/* ---- settings ---- */

static enum pubsub_status damaged(const struct holder *holder, struct pubsub_error *error) {
  return pubsub_error_set(error, PUBSUB_E_INVALID,
                          "the settings of number %" PRIu64 " cannot be read", holder->number);
}

static enum pubsub_status no_memory(struct pubsub_error *error) {
  return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
}

static const uint8_t *config_of(const struct holder *holder) {
  return holder->config.ptr ? holder->config.ptr : (const uint8_t *)"";
}

static enum pubsub_status restore_topic(struct replay *replay, struct holder *holder,
                                        struct pubsub_error *error) {
  Google__Pubsub__V1__Topic *config =
      google__pubsub__v1__topic__unpack(NULL, holder->config.len, config_of(holder));
  if (!config || broker_topic(replay->broker, config->name)) {
    if (config) google__pubsub__v1__topic__free_unpacked(config, NULL);
    return damaged(holder, error);
  }
  struct topic *topic = broker_add_topic(replay->broker, config);
  if (!topic) {
    google__pubsub__v1__topic__free_unpacked(config, NULL);
    return no_memory(error);
  }
  topic->number = holder->number;
  return place_all(replay, holder, place_in_list, &topic->retained, error);
}

/* The topic that a holder belongs to, which is there already. NULL: it was deleted. */
static struct topic *topic_of(const struct replay *replay, const struct holder *holder) {
  if (!holder->topic) return NULL;
  Google__Pubsub__V1__Topic *config =
      google__pubsub__v1__topic__unpack(NULL, holder->topic->config.len, config_of(holder->topic));
  if (!config) return NULL;
  struct topic *topic = broker_topic(replay->broker, config->name);
  google__pubsub__v1__topic__free_unpacked(config, NULL);
  return topic;
}

/* Where the topic was deleted the settings may still name it. False: no memory. */
static bool name_deleted_topic(char **topic) {
  char *deleted = strdup("_deleted-topic_");
  if (!deleted) return false;
  if (*topic != protobuf_c_empty_string) free(*topic);
  *topic = deleted;
  return true;
}

static enum pubsub_status restore_subscription(struct replay *replay, struct holder *holder,
                                               struct pubsub_error *error) {
  Google__Pubsub__V1__Subscription *config =
      google__pubsub__v1__subscription__unpack(NULL, holder->config.len, config_of(holder));
  if (!config || broker_subscription(replay->broker, config->name)) {
    if (config) google__pubsub__v1__subscription__free_unpacked(config, NULL);
    return damaged(holder, error);
  }
  struct topic *topic = topic_of(replay, holder);
  struct subscription *subscription = NULL;
  if (topic || name_deleted_topic(&config->topic)) {
    subscription = broker_add_subscription(replay->broker, topic, config, holder->filter);
  }
  if (!subscription) {
    google__pubsub__v1__subscription__free_unpacked(config, NULL);
    return no_memory(error);
  }
  holder->filter = NULL;
  subscription->number = holder->number;
  subscription->detached = config->detached;
  return place_all(replay, holder, place_in_subscription, subscription, error);
}

static enum pubsub_status restore_snapshot(struct replay *replay, struct holder *holder,
                                           struct pubsub_error *error) {
  struct pubsub_list messages;
  struct snapshot *snapshot = NULL;
  Google__Pubsub__V1__Snapshot *config =
      google__pubsub__v1__snapshot__unpack(NULL, holder->config.len, config_of(holder));
  if (!config || broker_snapshot(replay->broker, config->name)) {
    if (config) google__pubsub__v1__snapshot__free_unpacked(config, NULL);
    return damaged(holder, error);
  }
  pubsub_list_init(&messages);
  enum pubsub_status status = place_all(replay, holder, place_in_list, &messages, error);
  if (status == PUBSUB_OK) {
    snapshot = broker_add_snapshot_of(replay->broker, topic_of(replay, holder), &messages, config);
    if (!snapshot) status = no_memory(error);
  }
  messages_free(&messages);
  if (snapshot) {
    snapshot->number = holder->number;
  } else {
    google__pubsub__v1__snapshot__free_unpacked(config, NULL);
  }
  return status;
}

/* ---- all ---- */

static enum pubsub_status restore_kind(struct replay *replay, enum holder_kind kind,
                                       struct pubsub_error *error) {
  enum pubsub_status status = PUBSUB_OK;
  for (const struct pubsub_list *link = replay->all.next;
       link != &replay->all && status == PUBSUB_OK; link = link->next) {
    struct holder *holder = PUBSUB_CONTAINER_OF(link, struct holder, link);
    if (holder->kind != kind) continue;
    if (kind == HOLDER_TOPIC) status = restore_topic(replay, holder, error);
    if (kind == HOLDER_SUBSCRIPTION) status = restore_subscription(replay, holder, error);
    if (kind == HOLDER_SNAPSHOT) status = restore_snapshot(replay, holder, error);
  }
  return status;
}

enum pubsub_status restore_broker(struct replay *replay, struct pubsub_error *error) {
  struct world *world = &replay->broker->world;
  if (replay->ahead_us > 0) clock_advance(&world->clock, replay->ahead_us);
  enum pubsub_status status = restore_kind(replay, HOLDER_TOPIC, error);
  if (status == PUBSUB_OK) status = restore_kind(replay, HOLDER_SUBSCRIPTION, error);
  if (status == PUBSUB_OK) status = restore_kind(replay, HOLDER_SNAPSHOT, error);
  if (replay->next_message_id > world->next_message_id) {
    world->next_message_id = replay->next_message_id;
  }
  return status;
}
