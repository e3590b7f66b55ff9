#include "pages/state.h"

#include "base/container.h"
#include "faults/faults.h"
#include "json/printer.h"
#include "model/contents.h"

/* "name": before a value; the first status that is not OK stays. */
static enum pubsub_status name(struct pubsub_buf *out, enum pubsub_status before,
                               const char *text) {
  if (before != PUBSUB_OK) return before;
  if (out->ptr[out->len - 1] != '{') before = json_print(out, ",");
  return before == PUBSUB_OK ? json_print_name(out, text) : before;
}

static enum pubsub_status number(struct pubsub_buf *out, enum pubsub_status before,
                                 const char *text, uint64_t value) {
  before = name(out, before, text);
  return before == PUBSUB_OK ? json_print_integer(out, (int64_t)value) : before;
}

static enum pubsub_status string(struct pubsub_buf *out, enum pubsub_status before,
                                 const char *text, const char *value) {
  before = name(out, before, text);
  return before == PUBSUB_OK ? json_print_string(out, pubsub_view_str(value)) : before;
}

static enum pubsub_status begin(struct pubsub_buf *out, bool *first) {
  enum pubsub_status status = json_print(out, *first ? "{" : ",{");
  *first = false;
  return status;
}

static enum pubsub_status print_topic(struct pubsub_buf *out, const struct topic *topic,
                                      bool *first) {
  enum pubsub_status status = begin(out, first);
  status = string(out, status, "name", topic->config->name);
  status = number(out, status, "published", topic->published_count);
  return status == PUBSUB_OK ? json_print(out, "}") : status;
}

static size_t length(const struct pubsub_list *list) {
  size_t count = 0;
  for (const struct pubsub_list *link = list->next; link != list; link = link->next)
    count++;
  return count;
}

static enum pubsub_status print_subscription(struct pubsub_buf *out,
                                             const struct subscription *subscription, bool *first) {
  size_t lent = subscription->slot_count - subscription->free_count;
  enum pubsub_status status = begin(out, first);
  status = string(out, status, "name", subscription->config->name);
  status = string(out, status, "topic", subscription->config->topic);
  status = number(out, status, "backlog", contents_count(subscription));
  status = number(out, status, "ready", subscription->ready_count);
  status = number(out, status, "lent", lent);
  status = number(out, status, "delivered", subscription->delivered_count);
  status = number(out, status, "acknowledged", subscription->acknowledged_count);
  status = number(out, status, "streams", length(&subscription->streams));
  return status == PUBSUB_OK ? json_print(out, "}") : status;
}

static enum pubsub_status print_topics(struct pubsub_buf *out, struct broker *broker) {
  enum pubsub_status status = PUBSUB_OK;
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  bool first = true;
  while (status == PUBSUB_OK && (entry = pubsub_map_next(&broker->topics, &it)))
    status = print_topic(out, PUBSUB_CONTAINER_OF(entry, struct topic, entry), &first);
  return status;
}

static enum pubsub_status print_subscriptions(struct pubsub_buf *out, struct broker *broker) {
  enum pubsub_status status = PUBSUB_OK;
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  bool first = true;
  while (status == PUBSUB_OK && (entry = pubsub_map_next(&broker->subscriptions, &it))) {
    status =
        print_subscription(out, PUBSUB_CONTAINER_OF(entry, struct subscription, entry), &first);
  }
  return status;
}

static enum pubsub_status print_faults(struct pubsub_buf *out, struct broker *broker) {
  struct pubsub_buf text = {0};
  enum pubsub_status status = faults_describe(broker->faults, &text);
  if (status == PUBSUB_OK) status = json_print_string(out, pubsub_view_of(text.ptr, text.len));
  pubsub_buf_clear(&text);
  return status;
}

enum pubsub_status state_print(struct pubsub_buf *out, struct broker *broker) {
  const struct world *world = &broker->world;
  enum pubsub_status status = json_print(out, "{\"topics\":[");
  if (status == PUBSUB_OK) status = print_topics(out, broker);
  if (status == PUBSUB_OK) status = json_print(out, "],\"subscriptions\":[");
  if (status == PUBSUB_OK) status = print_subscriptions(out, broker);
  if (status == PUBSUB_OK) status = json_print(out, "],\"faults\":");
  if (status == PUBSUB_OK) status = print_faults(out, broker);
  status = number(out, status, "events", world->record.count);
  status = number(out, status, "time_us", (uint64_t)clock_wall_us(&world->clock));
  status = number(out, status, "ahead_us", (uint64_t)world->clock.ahead_us);
  if (status == PUBSUB_OK) status = json_print(out, ",\"recording\":");
  if (status == PUBSUB_OK) status = json_print(out, world->record.on ? "true" : "false");
  return status == PUBSUB_OK ? json_print(out, "}\n") : status;
}
