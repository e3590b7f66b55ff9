#include "api/received.h"

#include "model/lending.h"
#include "proto/wire.h"

enum { ACK_ID = 1 << 3 | 2, MESSAGE = 2 << 3 | 2, ATTEMPT = 3 << 3, RECEIVED = 1 << 3 | 2 };
enum { MESSAGE_ID = 3 << 3 | 2, PUBLISH_TIME = 4 << 3 | 2, SECONDS = 1 << 3, NANOS = 2 << 3 };

static int id_digits(uint64_t id) {
  int digits = 1;
  while (id >= 10) {
    id /= 10;
    digits++;
  }
  return digits;
}

static size_t time_bytes(int64_t time_us) {
  uint64_t seconds = (uint64_t)time_us / 1000000, nanos = (uint64_t)time_us % 1000000 * 1000;
  return pubsub_wire_number_bytes(seconds) + pubsub_wire_number_bytes(nanos);
}

static size_t message_bytes(const struct message *message) {
  return message->len + 2 + (size_t)id_digits(message->id) + 2 +
         time_bytes(message->publish_time_us);
}

static bool tells_attempt(const struct subscription *subscription) {
  return subscription->config->dead_letter_policy != NULL;
}

static size_t body_bytes(const struct subscription *subscription, const struct message *message) {
  size_t inner = message_bytes(message);
  size_t attempt = tells_attempt(subscription) ? pubsub_wire_number_bytes(message->attempts) : 0;
  return pubsub_wire_len_bytes(ACK_ID_BYTES) + pubsub_wire_len_bytes(inner) + attempt;
}

size_t received_bytes(const struct subscription *subscription, const struct message *message) {
  return pubsub_wire_len_bytes(body_bytes(subscription, message));
}

uint8_t *received_write(const struct subscription *subscription, const struct message *message,
                        uint8_t *out) {
  char ack_id[ACK_ID_BYTES + 1];
  uint64_t seconds = (uint64_t)message->publish_time_us / 1000000;
  uint64_t nanos = (uint64_t)message->publish_time_us % 1000000 * 1000;
  lending_ack_id(subscription, message, ack_id);
  out = pubsub_wire_write_head(out, RECEIVED, body_bytes(subscription, message));
  out = pubsub_wire_write_bytes(out, ACK_ID, ack_id, ACK_ID_BYTES);
  out = pubsub_wire_write_head(out, MESSAGE, message_bytes(message));
  memcpy(out, message->block->bytes.ptr + message->offset, message->len);
  out += message->len;
  int digits = id_digits(message->id);
  out = pubsub_wire_write_head(out, MESSAGE_ID, (size_t)digits);
  uint64_t id = message->id;
  for (int i = digits; i-- > 0; id /= 10)
    out[i] = (uint8_t)('0' + id % 10);
  out += digits;
  out = pubsub_wire_write_head(out, PUBLISH_TIME, time_bytes(message->publish_time_us));
  out = pubsub_wire_write_number(out, SECONDS, seconds);
  out = pubsub_wire_write_number(out, NANOS, nanos);
  if (!tells_attempt(subscription)) return out;
  return pubsub_wire_write_number(out, ATTEMPT, message->attempts);
}
