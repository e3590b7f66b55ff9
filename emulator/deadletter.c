/* Dead letter topics: a message that was delivered too often is published again, with where it came from. */
#include "backlog.h"

#include "proto/wire.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ATTRIBUTES = 2 << 3 | 2, KEY = 1 << 3 | 2, VALUE = 2 << 3 | 2 };

static enum pubsub_status add_attribute(struct pubsub_buf *message, const char *key,
                                        const char *value) {
  size_t key_len = strlen(key), value_len = strlen(value);
  size_t inner =
      1 + pubsub_varint_bytes(key_len) + key_len + 1 + pubsub_varint_bytes(value_len) + value_len;
  if (pubsub_buf_reserve(message, inner + 12) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  uint8_t *out = message->ptr + message->len;
  *out++ = ATTRIBUTES;
  out = pubsub_varint_write(out, inner);
  *out++ = KEY;
  out = pubsub_varint_write(out, key_len);
  memcpy(out, key, key_len);
  out += key_len;
  *out++ = VALUE;
  out = pubsub_varint_write(out, value_len);
  memcpy(out, value, value_len);
  message->len = (size_t)(out + value_len - message->ptr);
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

bool dead_letter(struct subscription *subscription, const struct message *message) {
  const Google__Pubsub__V1__DeadLetterPolicy *policy = subscription->config->dead_letter_policy;
  if (!policy) return false;
  int32_t most = policy->max_delivery_attempts ? policy->max_delivery_attempts : 5;
  if (message->attempts < most) return false;
  struct broker *broker = subscription->broker;
  struct topic *topic = broker_topic(broker, policy->dead_letter_topic);
  if (!topic) return false; /* goes on being redelivered, as the service does */
  struct pubsub_buf bytes = {0};
  if (pubsub_buf_append(&bytes, message->block->bytes.ptr + message->offset, message->len) !=
          PUBSUB_OK ||
      add_source(&bytes, subscription, message) != PUBSUB_OK) {
    pubsub_buf_clear(&bytes);
    return false;
  }
  uint32_t len = (uint32_t)bytes.len;
  struct block *block = block_new(&bytes);
  if (!block) {
    pubsub_buf_clear(&bytes);
    return false;
  }
  enum pubsub_status status = broker_publish(broker, topic, block, 0, len,
                                             broker->next_message_id++, broker_wall_us(broker));
  block_unref(block);
  return status == PUBSUB_OK;
}
