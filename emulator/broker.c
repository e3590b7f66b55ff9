#include "broker.h"

#include "base/alloc.h"
#include <stdio.h>
#include <stdlib.h>

void broker_init(struct broker *broker, struct pubsub_loop *loop) {
  *broker = (struct broker){.loop = loop, .next_message_id = 1, .next_serial = 1};
  pubsub_map_init(&broker->topics);
  pubsub_map_init(&broker->subscriptions);
}

void broker_clear(struct broker *broker) {
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while ((entry = pubsub_map_next(&broker->subscriptions, &it))) {
    broker_remove_subscription(broker, PUBSUB_CONTAINER_OF(entry, struct subscription, entry));
  }
  it = (struct pubsub_map_iter){0};
  while ((entry = pubsub_map_next(&broker->topics, &it))) {
    broker_remove_topic(broker, PUBSUB_CONTAINER_OF(entry, struct topic, entry));
  }
  pubsub_map_clear(&broker->topics);
  pubsub_map_clear(&broker->subscriptions);
}

struct topic *broker_topic(struct broker *broker, const char *name) {
  struct pubsub_map_entry *entry = pubsub_map_find(&broker->topics, pubsub_view_str(name));
  return entry ? PUBSUB_CONTAINER_OF(entry, struct topic, entry) : NULL;
}

struct subscription *broker_subscription(struct broker *broker, const char *name) {
  struct pubsub_map_entry *entry = pubsub_map_find(&broker->subscriptions, pubsub_view_str(name));
  return entry ? PUBSUB_CONTAINER_OF(entry, struct subscription, entry) : NULL;
}

struct topic *broker_add_topic(struct broker *broker, Google__Pubsub__V1__Topic *take_config) {
  struct topic *topic = pubsub_alloc_zero(1, sizeof *topic);
  if (!topic) return NULL;
  pubsub_list_init(&topic->subscriptions);
  if (pubsub_map_insert(&broker->topics, &topic->entry, pubsub_view_str(take_config->name)) !=
      PUBSUB_OK) {
    pubsub_free(topic);
    return NULL;
  }
  topic->config = take_config;
  return topic;
}

static void on_expire(struct pubsub_timer *timer);

struct subscription *broker_add_subscription(struct broker *broker, struct topic *topic,
                                             Google__Pubsub__V1__Subscription *take_config) {
  struct subscription *subscription = pubsub_alloc_zero(1, sizeof *subscription);
  if (!subscription) return NULL;
  if (pubsub_map_insert(&broker->subscriptions, &subscription->entry,
                        pubsub_view_str(take_config->name)) != PUBSUB_OK) {
    pubsub_free(subscription);
    return NULL;
  }
  subscription->config = take_config;
  subscription->broker = broker;
  subscription->topic = topic;
  subscription->serial = broker->next_serial++;
  subscription->expire.run = on_expire;
  pubsub_list_init(&subscription->ready);
  pubsub_list_init(&subscription->consumers);
  pubsub_list_init(&subscription->pulls);
  pubsub_list_init(&subscription->deliver.link);
  pubsub_list_push_back(&topic->subscriptions, &subscription->topic_link);
  return subscription;
}

void broker_remove_topic(struct broker *broker, struct topic *topic) {
  while (!pubsub_list_empty(&topic->subscriptions)) {
    struct subscription *subscription =
        PUBSUB_CONTAINER_OF(topic->subscriptions.next, struct subscription, topic_link);
    pubsub_list_remove(&subscription->topic_link);
    subscription->topic = NULL;
  }
  pubsub_map_remove(&broker->topics, &topic->entry);
  google__pubsub__v1__topic__free_unpacked(topic->config, NULL);
  pubsub_free(topic);
}

void broker_remove_subscription(struct broker *broker, struct subscription *subscription) {
  subscription_purge(subscription);
  pubsub_loop_timer_cancel(broker->loop, &subscription->expire);
  pubsub_loop_defer_cancel(broker->loop, &subscription->deliver);
  if (subscription->topic) pubsub_list_remove(&subscription->topic_link);
  pubsub_map_remove(&broker->subscriptions, &subscription->entry);
  google__pubsub__v1__subscription__free_unpacked(subscription->config, NULL);
  pubsub_heap_clear(&subscription->deadlines);
  pubsub_free(subscription->slots);
  pubsub_free(subscription->free_slots);
  pubsub_free(subscription);
}

/* ---- publishing ---- */

struct block *block_new(struct pubsub_buf *take_bytes) {
  struct block *block = pubsub_alloc(sizeof *block);
  if (!block) return NULL;
  block->refs = 1;
  block->bytes = *take_bytes;
  *take_bytes = (struct pubsub_buf){0};
  return block;
}

void block_unref(struct block *block) {
  if (--block->refs > 0) return;
  pubsub_buf_clear(&block->bytes);
  pubsub_free(block);
}

enum pubsub_status broker_publish(struct broker *broker, struct topic *topic, struct block *block,
                                  uint32_t offset, uint32_t len, uint64_t id, int64_t time_us) {
  (void)broker;
  struct pubsub_list *link = topic->subscriptions.next;
  for (; link != &topic->subscriptions; link = link->next) {
    struct subscription *subscription = PUBSUB_CONTAINER_OF(link, struct subscription, topic_link);
    if (subscription->detached) continue;
    struct message *message = pubsub_alloc(sizeof *message);
    if (!message) return PUBSUB_E_NOMEM;
    *message = (struct message){
        .block = block, .offset = offset, .len = len, .id = id, .publish_time_us = time_us};
    block->refs++;
    pubsub_list_push_back(&subscription->ready, &message->link);
    subscription->ready_count++;
    subscription_wake(subscription);
  }
  return PUBSUB_OK;
}

void subscription_wake(struct subscription *subscription) {
  if (subscription->deliver.run) {
    pubsub_loop_defer(subscription->broker->loop, &subscription->deliver);
  }
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

static void schedule_expiry(struct subscription *subscription) {
  struct pubsub_heap_node *first = pubsub_heap_top(&subscription->deadlines);
  struct pubsub_timer *timer = &subscription->expire;
  if (!first) {
    pubsub_loop_timer_cancel(subscription->broker->loop, timer);
  } else if (timer->node.index == 0 || timer->node.due > first->due) {
    /* A timer that is early only looks again. */
    pubsub_loop_timer_set(subscription->broker->loop, timer, first->due);
  }
}

struct message *subscription_lend(struct subscription *subscription, struct consumer *consumer,
                                  uint64_t deadline_us) {
  if (pubsub_list_empty(&subscription->ready)) return NULL;
  if (subscription->free_count == 0 && subscription->slot_count == subscription->slot_cap &&
      grow_slots(subscription) != PUBSUB_OK) {
    return NULL;
  }
  struct message *message = PUBSUB_CONTAINER_OF(subscription->ready.next, struct message, link);
  if (pubsub_heap_set(&subscription->deadlines, &message->deadline, deadline_us) != PUBSUB_OK) {
    return NULL;
  }
  pubsub_list_remove(&message->link);
  subscription->ready_count--;
  message->slot = subscription->free_count > 0
                      ? subscription->free_slots[--subscription->free_count]
                      : subscription->slot_count++;
  subscription->slots[message->slot] = message;
  message->delivery = subscription->broker->next_serial++;
  message->attempts++;
  message->consumer = consumer;
  if (consumer) {
    consumer->outstanding_messages++;
    consumer->outstanding_bytes += message->len;
  }
  schedule_expiry(subscription);
  return message;
}

static void take_back(struct subscription *subscription, struct message *message) {
  pubsub_heap_remove(&subscription->deadlines, &message->deadline);
  subscription->slots[message->slot] = NULL;
  subscription->free_slots[subscription->free_count++] = message->slot;
  if (message->consumer) {
    message->consumer->outstanding_messages--;
    message->consumer->outstanding_bytes -= message->len;
    message->consumer = NULL;
  }
}

static void write_hex(char *out, uint64_t value, int digits) {
  static const char hex[] = "0123456789abcdef";
  while (digits-- > 0) {
    out[digits] = hex[value & 15];
    value >>= 4;
  }
}

/* Opaque to clients: subscription, slot, delivery. */
void subscription_ack_id(const struct subscription *subscription, const struct message *message,
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

struct message *subscription_find(struct subscription *subscription, struct pubsub_view ack_id) {
  uint64_t serial, slot, delivery;
  if (ack_id.len != ACK_ID_BYTES || !read_hex(ack_id.ptr, 16, &serial) ||
      !read_hex(ack_id.ptr + 16, 8, &slot) || !read_hex(ack_id.ptr + 24, 16, &delivery) ||
      serial != subscription->serial || slot >= subscription->slot_count) {
    return NULL;
  }
  struct message *message = subscription->slots[slot];
  return message && message->delivery == delivery ? message : NULL;
}

static void message_free(struct message *message) {
  block_unref(message->block);
  pubsub_free(message);
}

void subscription_acknowledge(struct subscription *subscription, struct message *message) {
  take_back(subscription, message);
  message_free(message);
  subscription_wake(subscription);
}

static void make_ready(struct subscription *subscription, struct message *message) {
  take_back(subscription, message);
  /* Redelivered before what nobody has seen yet. */
  pubsub_list_push_front(&subscription->ready, &message->link);
  subscription->ready_count++;
  subscription_wake(subscription);
}

void subscription_set_deadline(struct subscription *subscription, struct message *message,
                               uint32_t seconds) {
  if (seconds == 0) {
    make_ready(subscription, message);
    return;
  }
  pubsub_heap_set(&subscription->deadlines, &message->deadline,
                  pubsub_loop_now_us(subscription->broker->loop) + (uint64_t)seconds * 1000000);
  schedule_expiry(subscription);
}

static void on_expire(struct pubsub_timer *timer) {
  struct subscription *subscription = PUBSUB_CONTAINER_OF(timer, struct subscription, expire);
  uint64_t now = pubsub_loop_now_us(subscription->broker->loop);
  struct pubsub_heap_node *first;
  while ((first = pubsub_heap_top(&subscription->deadlines)) && first->due <= now) {
    make_ready(subscription, PUBSUB_CONTAINER_OF(first, struct message, deadline));
  }
  schedule_expiry(subscription);
}

void subscription_forget_consumer(struct subscription *subscription, struct consumer *consumer) {
  if (consumer->outstanding_messages == 0) return;
  for (uint32_t i = 0; i < subscription->slot_count; i++) {
    struct message *message = subscription->slots[i];
    if (message && message->consumer == consumer) message->consumer = NULL;
  }
  consumer->outstanding_messages = consumer->outstanding_bytes = 0;
}

void subscription_purge(struct subscription *subscription) {
  while (!pubsub_list_empty(&subscription->ready)) {
    struct message *message = PUBSUB_CONTAINER_OF(subscription->ready.next, struct message, link);
    pubsub_list_remove(&message->link);
    message_free(message);
  }
  subscription->ready_count = 0;
  for (uint32_t i = 0; i < subscription->slot_count; i++) {
    struct message *message = subscription->slots[i];
    if (!message) continue;
    take_back(subscription, message);
    message_free(message);
  }
}
