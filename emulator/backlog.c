#include "backlog.h"

#include "base/alloc.h"
#include "proto/wire.h"

void consumer_init(struct consumer *consumer, struct subscription *subscription) {
  *consumer = (struct consumer){.subscription = subscription};
  pubsub_list_init(&consumer->link);
  pubsub_list_init(&consumer->keys);
}

void backlog_wake(struct subscription *subscription) {
  if (subscription->deliver.run) {
    pubsub_loop_defer(subscription->broker->loop, &subscription->deliver);
  }
}

static void note(const struct subscription *subscription, enum record_kind kind,
                 const struct message *message, uint32_t detail) {
  struct broker *broker = subscription->broker;
  if (!broker->record.on) return;
  record_add(&broker->record, broker_wall_us(broker), kind, subscription->record_name, message->id,
             detail);
}

static struct pubsub_view ordering_key_of(const struct message *message) {
  const uint8_t *ptr = message->block->bytes.ptr + message->offset, *end = ptr + message->len;
  struct pubsub_wire_field field;
  struct pubsub_view key = {0};
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (ptr && field.tag == (5 << 3 | 2)) key = field.value;
  }
  return key;
}

enum pubsub_status backlog_add(struct subscription *subscription, struct message *message) {
  message->state = MESSAGE_READY;
  struct pubsub_view key = {0};
  if (subscription->config->enable_message_ordering) key = ordering_key_of(message);
  if (key.len > 0) {
    enum pubsub_status status = ordering_add(subscription, message, key);
    if (status != PUBSUB_OK) {
      message_free(message);
      return status;
    }
  } else {
    pubsub_list_push_back(&subscription->ready, &message->link);
  }
  subscription->ready_count++;
  backlog_wake(subscription);
  return PUBSUB_OK;
}

/* ---- lending ---- */

static enum pubsub_status grow_slots(struct subscription *subscription) {
  uint32_t cap = subscription->slot_cap ? subscription->slot_cap * 2 : 256;
  void *slots = pubsub_realloc(subscription->slots, cap * sizeof *subscription->slots);
  if (!slots) return PUBSUB_E_NOMEM;
  subscription->slots = slots;
  void *free_slots =
      pubsub_realloc(subscription->free_slots, cap * sizeof *subscription->free_slots);
  if (!free_slots) return PUBSUB_E_NOMEM;
  subscription->free_slots = free_slots;
  subscription->slot_cap = cap;
  return PUBSUB_OK;
}

static void schedule(struct subscription *subscription) {
  uint64_t first = dues_first_us(&subscription->dues);
  struct pubsub_timer *timer = &subscription->expire;
  struct broker *broker = subscription->broker;
  if (first == UINT64_MAX) {
    pubsub_loop_timer_cancel(broker->loop, timer);
    return;
  }
  /* A timer that is early only looks again. */
  uint64_t ahead = (uint64_t)broker->clock_offset_us;
  uint64_t due = first > ahead ? first - ahead : 0;
  if (!pubsub_timer_is_set(timer) || timer->node.due > due) {
    pubsub_loop_timer_set(broker->loop, timer, due);
  }
}

struct message *backlog_lend(struct subscription *subscription, struct consumer *consumer,
                             uint64_t due_us) {
  if (subscription->ready_count == 0) return NULL;
  if (subscription->free_count == 0 && subscription->slot_count == subscription->slot_cap &&
      grow_slots(subscription) != PUBSUB_OK) {
    return NULL;
  }
  struct message *message = NULL;
  if (subscription->keys.count > 0) message = ordering_peek(subscription, consumer);
  if (!message) {
    if (pubsub_list_empty(&subscription->ready)) return NULL;
    message = PUBSUB_CONTAINER_OF(subscription->ready.next, struct message, link);
  }
  if (!dues_set(&subscription->dues, &message->due, due_us)) return NULL;
  subscription->ready_count--;
  message->slot = subscription->free_count > 0
                      ? subscription->free_slots[--subscription->free_count]
                      : subscription->slot_count++;
  subscription->slots[message->slot] = message;
  message->state = MESSAGE_LENT;
  message->delivery = subscription->broker->next_serial++;
  if (message->attempts < UINT16_MAX) message->attempts++;
  message->consumer = consumer;
  consumer->outstanding_messages++;
  consumer->outstanding_bytes += message->len;
  if (message->key) {
    ordering_lend(subscription, message, consumer);
  } else {
    pubsub_list_remove(&message->link);
  }
  schedule(subscription);
  note(subscription, RECORD_DELIVER, message, message->attempts);
  return message;
}

void backlog_take_back(struct subscription *subscription, struct message *message) {
  dues_remove(&message->due);
  subscription->slots[message->slot] = NULL;
  subscription->free_slots[subscription->free_count++] = message->slot;
  if (message->consumer) {
    message->consumer->outstanding_messages--;
    message->consumer->outstanding_bytes -= message->len;
    message->consumer = NULL;
  }
}

static void make_ready(struct subscription *subscription, struct message *message) {
  message->state = MESSAGE_READY;
  /* Redelivered before what nobody has seen yet. */
  pubsub_list_push_front(&subscription->ready, &message->link);
  subscription->ready_count++;
}

void backlog_unlend(struct subscription *subscription, struct message *message) {
  message->attempts--;
  record_undo(&subscription->broker->record, RECORD_DELIVER, message->id);
  if (message->key) {
    ordering_rewind(subscription, message);
  } else {
    backlog_take_back(subscription, message);
    make_ready(subscription, message);
  }
}

/* ---- ack ids: opaque to clients: subscription, slot, delivery ---- */

static void write_hex(char *out, uint64_t value, int digits) {
  static const char hex[] = "0123456789abcdef";
  while (digits-- > 0) {
    out[digits] = hex[value & 15];
    value >>= 4;
  }
}

void backlog_ack_id(const struct subscription *subscription, const struct message *message,
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

bool backlog_knows(const struct subscription *subscription, struct pubsub_view ack_id) {
  uint64_t serial, rest;
  return ack_id.len == ACK_ID_BYTES && read_hex(ack_id.ptr, 16, &serial) &&
         read_hex(ack_id.ptr + 16, 8, &rest) && read_hex(ack_id.ptr + 24, 16, &rest) &&
         serial == subscription->serial;
}

struct message *backlog_find(struct subscription *subscription, struct pubsub_view ack_id) {
  uint64_t serial, slot, delivery;
  if (ack_id.len != ACK_ID_BYTES || !read_hex(ack_id.ptr, 16, &serial) ||
      !read_hex(ack_id.ptr + 16, 8, &slot) || !read_hex(ack_id.ptr + 24, 16, &delivery) ||
      serial != subscription->serial || slot >= subscription->slot_count) {
    return NULL;
  }
  struct message *message = subscription->slots[slot];
  return message && message->delivery == delivery ? message : NULL;
}

/* ---- settling ---- */

void backlog_retain_or_free(struct subscription *subscription, struct message *message) {
  if (subscription->config->retain_acked_messages) {
    message->state = MESSAGE_ACKNOWLEDGED;
    message->key = NULL;
    pubsub_list_push_back(&subscription->retained, &message->link);
  } else {
    message_free(message);
  }
}

void backlog_acknowledge(struct subscription *subscription, struct message *message) {
  note(subscription, RECORD_ACKNOWLEDGE, message, message->attempts);
  backlog_take_back(subscription, message);
  if (message->key) {
    ordering_acknowledge(subscription, message);
  } else {
    backlog_retain_or_free(subscription, message);
  }
  backlog_wake(subscription);
}

static uint64_t retry_wait_us(const struct subscription *subscription,
                              const struct message *message) {
  const Google__Pubsub__V1__RetryPolicy *policy = subscription->config->retry_policy;
  if (!policy) return 0;
  int64_t wait = times_duration_us(policy->minimum_backoff, 10000000);
  int64_t most = times_duration_us(policy->maximum_backoff, 600000000);
  for (unsigned i = 1; i < message->attempts && wait < most; i++)
    wait *= 2;
  return (uint64_t)(wait < most ? wait : most);
}

/* After a nack or a lease that ran out. */
static void redeliver(struct subscription *subscription, struct message *message) {
  if (dead_letter(subscription, message)) {
    note(subscription, RECORD_DEAD_LETTER, message, message->attempts);
    backlog_take_back(subscription, message);
    if (message->key) {
      ordering_acknowledge(subscription, message);
    } else {
      message_free(message);
    }
    backlog_wake(subscription);
    return;
  }
  uint64_t wait = retry_wait_us(subscription, message);
  struct ordering_key *key = message->key;
  if (key) {
    ordering_rewind(subscription, message);
  } else {
    backlog_take_back(subscription, message);
  }
  if (wait > 0 &&
      dues_set(&subscription->dues, &message->due, broker_now_us(subscription->broker) + wait)) {
    message->state = MESSAGE_WAITING;
    subscription->waiting_count++;
    if (key) {
      subscription->ready_count--;
      ordering_place(subscription, key);
    } else {
      pubsub_list_push_back(&subscription->waiting, &message->link);
    }
    schedule(subscription);
  } else if (!key) {
    make_ready(subscription, message);
  }
  backlog_wake(subscription);
}

void backlog_set_deadline(struct subscription *subscription, struct message *message,
                          uint32_t seconds) {
  if (seconds == 0) {
    note(subscription, RECORD_NACK, message, message->attempts);
    redeliver(subscription, message);
    return;
  }
  note(subscription, RECORD_EXTEND, message, seconds);
  if (!dues_set(&subscription->dues, &message->due,
                broker_now_us(subscription->broker) + (uint64_t)seconds * 1000000)) {
    redeliver(subscription, message); /* without a deadline it would never come again */
    return;
  }
  schedule(subscription);
}

void backlog_expire(struct subscription *subscription) {
  uint64_t now = broker_now_us(subscription->broker);
  struct due *due;
  while ((due = dues_next(&subscription->dues, now))) {
    struct message *message = PUBSUB_CONTAINER_OF(due, struct message, due);
    if (message->state == MESSAGE_LENT) {
      note(subscription, RECORD_EXPIRE, message, message->attempts);
      redeliver(subscription, message);
      continue;
    }
    dues_remove(due);
    subscription->waiting_count--;
    message->state = MESSAGE_READY;
    if (message->key) {
      subscription->ready_count++;
      ordering_place(subscription, message->key);
    } else {
      pubsub_list_remove(&message->link);
      make_ready(subscription, message);
    }
    backlog_wake(subscription);
  }
  schedule(subscription);
}

static void leave(struct message *message) {
  message->consumer = NULL;
  if (message->key) message->key->owner = NULL;
}

static void forget_keys(struct consumer *consumer) {
  while (!pubsub_list_empty(&consumer->keys)) {
    pubsub_list_remove(consumer->keys.next);
  }
  consumer->outstanding_messages = consumer->outstanding_bytes = 0;
}

void backlog_release(struct consumer *consumer, struct message *const *lent, size_t count) {
  for (size_t i = 0; i < count; i++)
    leave(lent[i]);
  forget_keys(consumer);
}

void backlog_forget(struct subscription *subscription, struct consumer *consumer) {
  for (uint32_t i = 0; i < subscription->slot_count && consumer->outstanding_messages > 0; i++) {
    struct message *message = subscription->slots[i];
    if (!message || message->consumer != consumer) continue;
    consumer->outstanding_messages--;
    leave(message);
  }
  forget_keys(consumer);
}

/* ---- all of them ---- */

size_t backlog_count(const struct subscription *subscription) {
  size_t lent = subscription->slot_count - subscription->free_count;
  return subscription->ready_count + lent + subscription->waiting_count;
}

static void move_all(struct pubsub_list *from, struct pubsub_list *to) {
  while (!pubsub_list_empty(from)) {
    struct pubsub_list *link = from->next;
    pubsub_list_remove(link);
    pubsub_list_push_back(to, link);
  }
}

void backlog_take_all(struct subscription *subscription, struct pubsub_list *out) {
  for (uint32_t i = 0; i < subscription->slot_count; i++) {
    struct message *message = subscription->slots[i];
    if (!message) continue;
    backlog_take_back(subscription, message);
    if (!message->key) pubsub_list_push_back(out, &message->link);
  }
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&subscription->keys, &it))) {
    struct ordering_key *key = PUBSUB_CONTAINER_OF(entry, struct ordering_key, entry);
    move_all(&key->line, out);
    pubsub_list_remove(&key->link);
    pubsub_map_remove(&subscription->keys, &key->entry);
    pubsub_free(key);
  }
  move_all(&subscription->waiting, out);
  move_all(&subscription->ready, out);
  move_all(&subscription->retained, out);
  for (struct pubsub_list *link = out->next; link != out; link = link->next) {
    struct message *message = PUBSUB_CONTAINER_OF(link, struct message, link);
    dues_remove(&message->due);
    message->key = NULL;
  }
  subscription->ready_count = subscription->waiting_count = 0;
}

void backlog_clear(struct subscription *subscription) {
  struct pubsub_list all;
  pubsub_list_init(&all);
  backlog_take_all(subscription, &all);
  messages_free(&all);
}

/* In the order of their publishing, near enough: stops at the first that is younger. */
static void sweep(struct subscription *subscription, struct pubsub_list *list, int64_t before_us) {
  while (!pubsub_list_empty(list)) {
    struct message *message = PUBSUB_CONTAINER_OF(list->next, struct message, link);
    if (message->publish_time_us >= before_us) return;
    if (message->state == MESSAGE_READY) subscription->ready_count--;
    if (message->state == MESSAGE_WAITING) subscription->waiting_count--;
    dues_remove(&message->due);
    pubsub_list_remove(&message->link);
    message_free(message);
  }
}

void backlog_sweep(struct subscription *subscription, int64_t wall_us) {
  int64_t retention =
      times_duration_us(subscription->config->message_retention_duration, INT64_C(604800000000));
  int64_t before = wall_us - retention;
  sweep(subscription, &subscription->ready, before);
  sweep(subscription, &subscription->waiting, before);
  sweep(subscription, &subscription->retained, before);
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&subscription->keys, &it))) {
    struct ordering_key *key = PUBSUB_CONTAINER_OF(entry, struct ordering_key, entry);
    struct message *first = PUBSUB_CONTAINER_OF(key->line.next, struct message, link);
    if (first->state == MESSAGE_READY && first->publish_time_us < before) {
      subscription->ready_count--;
      ordering_remove(subscription, first);
    }
  }
}
