#include "pages/metrics.h"

#include "base/container.h"
#include "model/contents.h"
#include <inttypes.h>
#include <stdio.h>

/* Of a topic (column 0) or a subscription (1). */
struct series {
  const char *name, *type, *help;
  double (*of_topic)(const struct topic *topic);
  double (*of_subscription)(const struct subscription *subscription);
};

static double published(const struct topic *topic) {
  return (double)topic->published_count;
}

static double backlog(const struct subscription *subscription) {
  return (double)contents_count(subscription);
}

static double ready(const struct subscription *subscription) {
  return (double)subscription->ready_count;
}

static double lent(const struct subscription *subscription) {
  return (double)(subscription->slot_count - subscription->free_count);
}

static double delivered(const struct subscription *subscription) {
  return (double)subscription->delivered_count;
}

static double acknowledged(const struct subscription *subscription) {
  return (double)subscription->acknowledged_count;
}

static double streams(const struct subscription *subscription) {
  size_t count = 0;
  const struct pubsub_list *link = subscription->streams.next;
  for (; link != &subscription->streams; link = link->next)
    count++;
  return (double)count;
}

static double oldest_seconds(const struct subscription *subscription) {
  int64_t oldest = contents_oldest_us(subscription);
  if (oldest == INT64_MAX) return 0;
  int64_t age = clock_wall_us(&subscription->world->clock) - oldest;
  return age > 0 ? (double)age / 1e6 : 0;
}

static const struct series all[] = {
    {"published_messages_total", "counter", "Messages published to a topic.", published, NULL},
    {"backlog_messages", "gauge", "Messages that are not acknowledged.", NULL, backlog},
    {"ready_messages", "gauge", "Messages that wait for a consumer.", NULL, ready},
    {"lent_messages", "gauge", "Messages that a consumer holds.", NULL, lent},
    {"delivered_messages_total", "counter", "Messages handed out, again ones too.", NULL,
     delivered},
    {"acknowledged_messages_total", "counter", "Messages acknowledged.", NULL, acknowledged},
    {"streams", "gauge", "StreamingPulls that are open.", NULL, streams},
    {"oldest_message_age_seconds", "gauge", "Age of the oldest message that is not acknowledged.",
     NULL, oldest_seconds},
};

static enum pubsub_status print_head(struct pubsub_buf *out, const char *name, const char *type,
                                     const char *help) {
  char text[300];
  int len =
      snprintf(text, sizeof text, "# HELP pubsub_emulator_%s %s\n# TYPE pubsub_emulator_%s %s\n",
               name, help, name, type);
  return pubsub_buf_append(out, text, (size_t)len);
}

/* A label's value: quotes, backslashes and line ends are escaped. */
static enum pubsub_status print_label(struct pubsub_buf *out, const char *text) {
  enum pubsub_status status = PUBSUB_OK;
  for (; *text && status == PUBSUB_OK; text++) {
    char c = *text == '\n' ? 'n' : *text;
    if (*text == '"' || *text == '\\' || *text == '\n') {
      status = pubsub_buf_append(out, "\\", 1);
    }
    if (status == PUBSUB_OK) status = pubsub_buf_append(out, &c, 1);
  }
  return status;
}

static enum pubsub_status print_value(struct pubsub_buf *out, const char *name, const char *label,
                                      const char *of, double value) {
  char text[200], number[40];
  int len = label ? snprintf(text, sizeof text, "pubsub_emulator_%s{%s=\"", name, label)
                  : snprintf(text, sizeof text, "pubsub_emulator_%s", name);
  int number_len = snprintf(number, sizeof number, "%s %.15g\n", label ? "\"}" : "", value);
  enum pubsub_status status = pubsub_buf_append(out, text, (size_t)len);
  if (status == PUBSUB_OK && label) status = print_label(out, of);
  return status == PUBSUB_OK ? pubsub_buf_append(out, number, (size_t)number_len) : status;
}

static enum pubsub_status print_topics(struct pubsub_buf *out, const struct series *series,
                                       const struct broker *broker) {
  enum pubsub_status status = PUBSUB_OK;
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while (status == PUBSUB_OK && (entry = pubsub_map_next(&broker->topics, &it))) {
    const struct topic *topic = PUBSUB_CONTAINER_OF(entry, struct topic, entry);
    status = print_value(out, series->name, "topic", topic->config->name, series->of_topic(topic));
  }
  return status;
}

static enum pubsub_status print_subscriptions(struct pubsub_buf *out, const struct series *series,
                                              const struct broker *broker) {
  enum pubsub_status status = PUBSUB_OK;
  struct pubsub_map_entry *entry;
  struct pubsub_map_iter it = {0};
  while (status == PUBSUB_OK && (entry = pubsub_map_next(&broker->subscriptions, &it))) {
    const struct subscription *one = PUBSUB_CONTAINER_OF(entry, struct subscription, entry);
    status = print_value(out, series->name, "subscription", one->config->name,
                         series->of_subscription(one));
  }
  return status;
}

static enum pubsub_status print_single(struct pubsub_buf *out, const char *name, const char *help,
                                       double value) {
  enum pubsub_status status = print_head(out, name, "gauge", help);
  return status == PUBSUB_OK ? print_value(out, name, NULL, NULL, value) : status;
}

static enum pubsub_status print_counts(struct pubsub_buf *out, const struct broker *broker) {
  const struct {
    const char *name, *help;
    double value;
  } counts[] = {{"topics", "Topics there are.", (double)broker->topics.count},
                {"subscriptions", "Subscriptions there are.", (double)broker->subscriptions.count},
                {"snapshots", "Snapshots there are.", (double)broker->snapshots.count},
                {"schemas", "Schemas there are.", (double)broker->schemas.count},
                {"recorded_events", "Events of the record.", (double)broker->world.record.count},
                {"clock_ahead_seconds", "How far the virtual clock is ahead.",
                 (double)broker->world.clock.ahead_us / 1e6}};
  enum pubsub_status status = PUBSUB_OK;
  for (size_t i = 0; i < sizeof counts / sizeof *counts && status == PUBSUB_OK; i++)
    status = print_single(out, counts[i].name, counts[i].help, counts[i].value);
  return status;
}

enum pubsub_status metrics_print(struct pubsub_buf *out, struct broker *broker) {
  enum pubsub_status status = print_counts(out, broker);
  for (size_t i = 0; i < sizeof all / sizeof *all && status == PUBSUB_OK; i++) {
    status = print_head(out, all[i].name, all[i].type, all[i].help);
    if (status != PUBSUB_OK) break;
    status = all[i].of_topic ? print_topics(out, &all[i], broker)
                             : print_subscriptions(out, &all[i], broker);
  }
  return status;
}
