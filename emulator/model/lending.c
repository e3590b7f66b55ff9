#include "model/lending.h"

#include "base/alloc.h"
#include "model/ordering_key.h"

bool lending_reserve(struct subscription *subscription) {
  if (subscription->free_count > 0 || subscription->slot_count < subscription->slot_cap) {
    return true;
  }
  uint32_t cap = subscription->slot_cap ? subscription->slot_cap * 2 : 256;
  void *slots = pubsub_realloc(subscription->slots, cap * sizeof *subscription->slots);
  if (!slots) return false;
  subscription->slots = slots;
  void *free_slots =
      pubsub_realloc(subscription->free_slots, cap * sizeof *subscription->free_slots);
  if (!free_slots) return false;
  subscription->free_slots = free_slots;
  subscription->slot_cap = cap;
  return true;
}

void lending_put(struct subscription *subscription, struct message *message,
                 struct consumer *consumer) {
  message->slot = subscription->free_count > 0
                      ? subscription->free_slots[--subscription->free_count]
                      : subscription->slot_count++;
  subscription->slots[message->slot] = message;
  message->state = MESSAGE_LENT;
  message->delivery = subscription->world->next_serial++;
  if (message->attempts < UINT16_MAX) message->attempts++;
  message->consumer = consumer;
  consumer->outstanding_messages++;
  consumer->outstanding_bytes += message->len;
}

void lending_take_back(struct subscription *subscription, struct message *message) {
  dues_remove(&message->due);
  subscription->slots[message->slot] = NULL;
  subscription->free_slots[subscription->free_count++] = message->slot;
  if (message->consumer) {
    message->consumer->outstanding_messages--;
    message->consumer->outstanding_bytes -= message->len;
    message->consumer = NULL;
  }
}

void lending_leave(struct message *message) {
  message->consumer = NULL;
  if (message->key) message->key->owner = NULL;
}

/* ---- ack ids ---- */

static void write_hex(char *out, uint64_t value, int digits) {
  static const char hex[] = "0123456789abcdef";
  while (digits-- > 0) {
    out[digits] = hex[value & 15];
    value >>= 4;
  }
}

void lending_ack_id(const struct subscription *subscription, const struct message *message,
                    char out[ACK_ID_BYTES + 1]) {
  write_hex(out, subscription->serial, 16);
  write_hex(out + 16, message->slot, 8);
  write_hex(out + 24, message->delivery, 16);
  out[ACK_ID_BYTES] = '\0';
}

static bool read_hex(const uint8_t *in, int digits, uint64_t *out) {
  *out = 0;
  for (int i = 0; i < digits; i++) {
    uint8_t c = in[i];
    unsigned digit = 16;
    if (c >= '0' && c <= '9') digit = c - (unsigned)'0';
    if (c >= 'a' && c <= 'f') digit = c - (unsigned)'a' + 10;
    if (digit == 16) return false;
    *out = *out << 4 | digit;
  }
  return true;
}

static bool read_ack_id(const struct subscription *subscription, struct pubsub_view ack_id,
                        uint64_t *slot, uint64_t *delivery) {
  uint64_t serial;
  return ack_id.len == ACK_ID_BYTES && read_hex(ack_id.ptr, 16, &serial) &&
         read_hex(ack_id.ptr + 16, 8, slot) && read_hex(ack_id.ptr + 24, 16, delivery) &&
         serial == subscription->serial;
}

bool lending_knows(const struct subscription *subscription, struct pubsub_view ack_id) {
  uint64_t slot, delivery;
  return read_ack_id(subscription, ack_id, &slot, &delivery);
}

struct message *lending_find(const struct subscription *subscription, struct pubsub_view ack_id) {
  uint64_t slot, delivery;
  if (!read_ack_id(subscription, ack_id, &slot, &delivery) || slot >= subscription->slot_count) {
    return NULL;
  }
  struct message *message = subscription->slots[slot];
  return message && message->delivery == delivery ? message : NULL;
}
