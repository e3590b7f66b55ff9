#include "model/backlog.h"

#include "model/delivery.h"
#include "model/journal.h"
#include "model/ordering.h"
#include "model/retention.h"
#include "model/times.h"
#include "proto/wire.h"

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
  delivery_wake(subscription);
  return PUBSUB_OK;
}

/* ---- lending ---- */

/* An alarm that is early only looks again. */
static void schedule(struct subscription *subscription) {
  struct clock *clock = &subscription->world->clock;
  struct alarm *alarm = &subscription->expire;
  uint64_t first = dues_first_us(&subscription->dues);
  if (first == UINT64_MAX) {
    clock_alarm_cancel(clock, alarm);
  } else if (!pubsub_heap_has(&alarm->node) || alarm->node.due > first) {
    clock_alarm_set(clock, alarm, first);
  }
}

/* Whether they change what becomes of a message. */
static bool counts_attempts(const struct subscription *subscription) {
  return subscription->config->dead_letter_policy || subscription->config->retry_policy;
}

struct message *backlog_lend(struct subscription *subscription, struct consumer *consumer,
                             uint64_t due_us) {
  if (subscription->ready_count == 0 || !lending_reserve(subscription)) return NULL;
  struct message *message = NULL;
  if (subscription->keys.count > 0) message = ordering_peek(subscription, consumer);
  if (!message) {
    if (pubsub_list_empty(&subscription->ready)) return NULL;
    message = PUBSUB_CONTAINER_OF(subscription->ready.next, struct message, link);
  }
  if (!dues_set(&subscription->dues, &message->due, due_us)) return NULL;
  subscription->ready_count--;
  lending_put(subscription, message, consumer);
  if (message->key) {
    ordering_lend(subscription, message, consumer);
  } else {
    pubsub_list_remove(&message->link);
  }
  schedule(subscription);
  subscription_note(subscription, RECORD_DELIVER, message->id, message->attempts);
  if (counts_attempts(subscription)) {
    JOURNAL(subscription->world, lent, subscription, message->id, message->attempts);
  }
  subscription->delivered_count++;
  return message;
}

static void make_ready(struct subscription *subscription, struct message *message) {
  message->state = MESSAGE_READY;
  /* Redelivered before what nobody has seen yet. */
  pubsub_list_push_front(&subscription->ready, &message->link);
  subscription->ready_count++;
}

void backlog_unlend(struct subscription *subscription, struct message *message) {
  message->attempts--;
  subscription->delivered_count--;
  record_undo(&subscription->world->record, RECORD_DELIVER, message->id);
  if (message->key) {
    ordering_rewind(subscription, message);
  } else {
    lending_take_back(subscription, message);
    make_ready(subscription, message);
  }
}

/* ---- settling ---- */

void backlog_acknowledge(struct subscription *subscription, struct message *message) {
  subscription_note(subscription, RECORD_ACKNOWLEDGE, message->id, message->attempts);
  JOURNAL(subscription->world, settled, subscription, message->id,
          subscription->config->retain_acked_messages);
  subscription->acknowledged_count++;
  lending_take_back(subscription, message);
  if (message->key) {
    ordering_acknowledge(subscription, message);
  } else {
    retention_retire(subscription, message);
  }
  delivery_wake(subscription);
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

/* False: it is to be delivered again. */
static bool dies(struct subscription *subscription, struct message *message) {
  const struct world_callbacks *callbacks = &subscription->world->callbacks;
  if (!subscription->config->dead_letter_policy ||
      !callbacks->on_dead(callbacks->user, subscription, message)) {
    return false;
  }
  subscription_note(subscription, RECORD_DEAD_LETTER, message->id, message->attempts);
  JOURNAL(subscription->world, settled, subscription, message->id, false);
  lending_take_back(subscription, message);
  if (message->key) {
    ordering_acknowledge(subscription, message);
  } else {
    message_free(message);
  }
  delivery_wake(subscription);
  return true;
}

/* After a nack or a lease that ran out. */
static void redeliver(struct subscription *subscription, struct message *message) {
  if (dies(subscription, message)) return;
  uint64_t wait = retry_wait_us(subscription, message);
  struct ordering_key *key = message->key;
  if (key) {
    ordering_rewind(subscription, message);
  } else {
    lending_take_back(subscription, message);
  }
  if (wait > 0 && dues_set(&subscription->dues, &message->due,
                           clock_now_us(&subscription->world->clock) + wait)) {
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
  delivery_wake(subscription);
}

void backlog_set_deadline(struct subscription *subscription, struct message *message,
                          uint32_t seconds) {
  if (seconds == 0) {
    subscription_note(subscription, RECORD_NACK, message->id, message->attempts);
    redeliver(subscription, message);
    return;
  }
  subscription_note(subscription, RECORD_EXTEND, message->id, seconds);
  if (!dues_set(&subscription->dues, &message->due,
                clock_now_us(&subscription->world->clock) + (uint64_t)seconds * 1000000)) {
    redeliver(subscription, message); /* without a deadline it would never come again */
    return;
  }
  schedule(subscription);
}

void backlog_expire(struct subscription *subscription) {
  uint64_t now = clock_now_us(&subscription->world->clock);
  struct due *due;
  while ((due = dues_next(&subscription->dues, now))) {
    struct message *message = PUBSUB_CONTAINER_OF(due, struct message, due);
    if (message->state == MESSAGE_LENT) {
      subscription_note(subscription, RECORD_EXPIRE, message->id, message->attempts);
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
    delivery_wake(subscription);
  }
  schedule(subscription);
}

static void forget_keys(struct consumer *consumer) {
  while (!pubsub_list_empty(&consumer->keys)) {
    pubsub_list_remove(consumer->keys.next);
  }
  consumer->outstanding_messages = consumer->outstanding_bytes = 0;
}

void backlog_release(struct consumer *consumer, struct message *const *lent, size_t count) {
  for (size_t i = 0; i < count; i++)
    lending_leave(lent[i]);
  forget_keys(consumer);
}

void backlog_forget(struct subscription *subscription, struct consumer *consumer) {
  for (uint32_t i = 0; i < subscription->slot_count && consumer->outstanding_messages > 0; i++) {
    struct message *message = subscription->slots[i];
    if (!message || message->consumer != consumer) continue;
    consumer->outstanding_messages--;
    lending_leave(message);
  }
  forget_keys(consumer);
}
