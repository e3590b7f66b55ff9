#include "model/deadletter.h"

#include "model/journal.h"
#include "proto/wire.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ATTRIBUTES = 2 << 3 | 2, KEY = 1 << 3 | 2, VALUE = 2 << 3 | 2 };

static enum pubsub_status add_attribute(struct pubsub_buf *message, const char *key,
                                        const char *value) {
  size_t key_len = strlen(key), value_len = strlen(value);
  size_t inner = pubsub_wire_len_bytes(key_len) + pubsub_wire_len_bytes(value_len);
  if (pubsub_buf_reserve(message, pubsub_wire_len_bytes(inner)) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  uint8_t *out = pubsub_wire_write_head(message->ptr + message->len, ATTRIBUTES, inner);
  out = pubsub_wire_write_bytes(out, KEY, key, key_len);
  out = pubsub_wire_write_bytes(out, VALUE, value, value_len);
  message->len = (size_t)(out - message->ptr);
  return PUBSUB_OK;
}

static enum pubsub_status add_source(struct pubsub_buf *out,
                                     const struct subscription *subscription,
                                     const struct message *message) {
  char project[256], count[12], published[40];
  const char *name = subscription->config->name, *slash = strchr(name + 9, '/');
  snprintf(project, sizeof project, "%.*s", (int)(slash ? slash - (name + 9) : 0), name + 9);
  snprintf(count, sizeof count, "%u", message->attempts);
  time_t seconds = (time_t)(message->publish_time_us / 1000000);
  struct tm utc;
  gmtime_r(&seconds, &utc);
  size_t len = strftime(published, sizeof published, "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(published + len, sizeof published - len, ".%03dZ",
           (int)(message->publish_time_us / 1000 % 1000));
  const char *pairs[][2] = {
      {"CloudPubSubDeadLetterSourceSubscription", strrchr(name, '/') + 1},
      {"CloudPubSubDeadLetterSourceSubscriptionProject", project},
      {"CloudPubSubDeadLetterSourceTopicPublishTime", published},
      {"CloudPubSubDeadLetterSourceDeliveryCount", count},
  };
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    if (add_attribute(out, pairs[i][0], pairs[i][1]) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  }
  return PUBSUB_OK;
}

/* As a Publish request has it: field 2. */
static struct block *wrap(const struct pubsub_buf *message, uint32_t *offset) {
  enum { MESSAGES = 2 << 3 | 2 };
  struct pubsub_buf bytes = {0};
  if (pubsub_buf_reserve(&bytes, pubsub_wire_len_bytes(message->len)) != PUBSUB_OK) return NULL;
  const uint8_t *end = pubsub_wire_write_bytes(bytes.ptr, MESSAGES, message->ptr, message->len);
  bytes.len = (size_t)(end - bytes.ptr);
  *offset = (uint32_t)(bytes.len - message->len);
  struct block *block = block_new(&bytes);
  pubsub_buf_clear(&bytes);
  return block;
}

static struct block *letter(const struct subscription *subscription, const struct message *message,
                            uint32_t *offset, uint32_t *len) {
  struct pubsub_view published = message_view(message);
  struct pubsub_buf bytes = {0};
  struct block *block = NULL;
  if (pubsub_buf_append(&bytes, published.ptr, published.len) == PUBSUB_OK &&
      add_source(&bytes, subscription, message) == PUBSUB_OK) {
    *len = (uint32_t)bytes.len;
    block = wrap(&bytes, offset);
  }
  pubsub_buf_clear(&bytes);
  return block;
}

static bool publish(struct broker *broker, struct topic *topic, struct block *block,
                    uint32_t offset, uint32_t len) {
  struct world *world = &broker->world;
  uint64_t id = world->next_message_id++;
  int64_t now = clock_wall_us(&world->clock);
  if (!journal_reserve(world, block->bytes.len)) return false;
  if (broker_publish(broker, topic, block, offset, len, id, now) != PUBSUB_OK) return false;
  JOURNAL(world, published, topic, block, id, 1, now);
  return true;
}

bool deadletter_publish(struct broker *broker, const struct subscription *subscription,
                        const struct message *message) {
  const Google__Pubsub__V1__DeadLetterPolicy *policy = subscription->config->dead_letter_policy;
  int32_t most = policy->max_delivery_attempts ? policy->max_delivery_attempts : 5;
  if (message->attempts < most) return false;
  struct topic *topic = broker_topic(broker, policy->dead_letter_topic);
  if (!topic) return false; /* goes on being redelivered, as the service does */
  uint32_t offset, len;
  struct block *block = letter(subscription, message, &offset, &len);
  if (!block) return false;
  bool published = publish(broker, topic, block, offset, len);
  block_unref(block);
  return published;
}
