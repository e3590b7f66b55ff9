/* bench: how fast this client receives and acknowledges, or publishes. Ends with one line of
 * JSON. */
#include "commands.h"
#include <pubsub/publisher.h>
#include <pubsub/subscriber.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct mark {
  double wall, cpu; /* seconds */
};

static struct mark now(void) {
  struct timespec wall;
  struct rusage usage;
  clock_gettime(CLOCK_MONOTONIC, &wall);
  getrusage(RUSAGE_SELF, &usage);
  return (struct mark){(double)wall.tv_sec + (double)wall.tv_nsec / 1e9,
                       (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6};
}

static void print_result(const char *what, unsigned long count, double bytes, struct mark start) {
  struct mark end = now();
  double wall = end.wall - start.wall, cpu = end.cpu - start.cpu;
  printf("{\"bench\":\"%s\",\"messages\":%lu,\"cpu_us_per_message\":%.4f,\"messages_per_s\":%.0f,"
         "\"mb_per_s\":%.1f}\n",
         what, count, cpu * 1e6 / (double)count, (double)count / wall, bytes / wall / 1e6);
}

static uint32_t columns_of(const char *text) {
  if (!text || strcmp(text, "all") == 0) return PUBSUB_COLUMN_ALL;
  return strcmp(text, "data") == 0 ? PUBSUB_COLUMN_DATA : 0;
}

/* Settles every sealed chunk of every slot; returns the confirmed rows. */
static uint64_t settle_all(struct pubsub_subscriber *subscriber, struct pubsub_slot_report *reports,
                           size_t capacity) {
  struct pubsub_subscriber_metrics metrics;
  size_t count;
  pubsub_subscriber_report(subscriber, reports, capacity, &count);
  for (size_t i = 0; i < count && i < capacity; i++) {
    pubsub_subscriber_settle(subscriber, reports[i].slot, reports[i].epoch, reports[i].sealed,
                             PUBSUB_ACK);
  }
  pubsub_subscriber_metrics(subscriber, &metrics);
  return metrics.acknowledged_rows;
}

static int bench_receive(const struct cli_options *options, const char *name) {
  char subscription[600];
  struct pubsub_error error = {0};
  struct pubsub_subscriber *subscriber;
  if (!cli_full_name(options, "subscriptions", name, subscription, sizeof subscription)) return 2;
  struct pubsub_client *client = cli_connect(options);
  if (!client) return 1;
  unsigned long streams = options->streams ? options->streams : 1;
  struct pubsub_subscriber_options subscriber_options = {
      .subscription = subscription,
      .columns = columns_of(options->columns),
      /* so that each may be open, whatever the size of messages */
      .max_reservoir_bytes = (uint64_t)(streams > 16 ? streams : 16) << 24};
  if (pubsub_subscriber_new(client, &subscriber_options, &subscriber, &error) != PUBSUB_OK) {
    pubsub_client_destroy(client);
    return cli_fail(&error);
  }
  struct pubsub_slot_report *reports = calloc(streams, sizeof *reports);
  for (unsigned long slot = 0; slot < streams; slot++) {
    pubsub_subscriber_open_slot(subscriber, (uint32_t)slot, 1, 0, &error);
  }
  uint64_t generation = 0, done = 0;
  struct mark start = now();
  unsigned long warm = options->warmup, total = options->count;
  uint64_t base = 0;
  struct pubsub_subscriber_metrics metrics = {0};
  uint64_t base_bytes = 0;
  bool measuring = warm == 0;
  while (reports && (done = settle_all(subscriber, reports, streams)) < total &&
         !cli_interrupted()) {
    if (!measuring && done >= warm) {
      measuring = true;
      pubsub_subscriber_metrics(subscriber, &metrics);
      base = done;
      base_bytes = metrics.received_bytes;
      start = now();
    }
    pubsub_subscriber_wait(subscriber, &generation, 1000);
  }
  pubsub_subscriber_metrics(subscriber, &metrics);
  unsigned long measured = (unsigned long)(done - base);
  double bytes = options->size > 0 ? (double)options->size * (double)measured
                                   : (double)(metrics.received_bytes - base_bytes);
  print_result("receive", measured, bytes, start);
  fprintf(stderr, "peak of the reservoir: %.1f MB, %llu acknowledge requests\n",
          (double)metrics.reservoir_peak_bytes / 1e6, (unsigned long long)metrics.ack_requests);
  pubsub_subscriber_close(subscriber, 2000, NULL);
  pubsub_subscriber_destroy(subscriber);
  pubsub_client_destroy(client);
  free(reports);
  return reports && done >= total ? 0 : 1;
}

static int bench_publish(const struct cli_options *options, const char *name) {
  char topic[600];
  struct pubsub_error error = {0};
  struct pubsub_publisher *publisher;
  if (!cli_full_name(options, "topics", name, topic, sizeof topic)) return 2;
  struct pubsub_client *client = cli_connect(options);
  uint8_t *data = client ? malloc(options->size + 1) : NULL;
  if (!data) return 1;
  memset(data, 'x', options->size + 1);
  struct pubsub_attribute attribute = {{(const uint8_t *)"source", 6},
                                       {(const uint8_t *)"bench", 5}};
  struct pubsub_message batch[100];
  for (size_t i = 0; i < 100; i++) {
    batch[i] = (struct pubsub_message){
        .data = {data, options->size}, .attributes = &attribute, .attribute_count = 1};
  }
  struct pubsub_publisher_options publisher_options = {.topic = topic};
  if (pubsub_publisher_new(client, &publisher_options, &publisher, &error) != PUBSUB_OK) {
    pubsub_client_destroy(client);
    free(data);
    return cli_fail(&error);
  }
  enum pubsub_status status = PUBSUB_OK;
  struct mark start = now();
  unsigned long published = 0;
  while (status == PUBSUB_OK && published < options->count && !cli_interrupted()) {
    unsigned long left = options->count - published;
    unsigned long count = left < 100 ? left : 100;
    status = pubsub_publisher_publish(publisher, batch, count, &error);
    published += count;
  }
  if (status == PUBSUB_OK) status = pubsub_publisher_flush(publisher, 600000, &error);
  if (status == PUBSUB_OK) {
    print_result("publish", published, (double)published * (double)options->size, start);
  }
  pubsub_publisher_destroy(publisher);
  pubsub_client_destroy(client);
  free(data);
  return status == PUBSUB_OK ? 0 : cli_fail(&error);
}

int cli_bench_receive(const struct cli_options *options, int count, char **arguments) {
  cli_watch_signals();
  if (count != 1 || options->count == 0) return cli_usage("bench receive SUBSCRIPTION --count N");
  return bench_receive(options, arguments[0]);
}

int cli_bench_publish(const struct cli_options *options, int count, char **arguments) {
  cli_watch_signals();
  if (count != 1 || options->count == 0)
    return cli_usage("bench publish TOPIC --count N --size BYTES");
  return bench_publish(options, arguments[0]);
}
