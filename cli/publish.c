/* publish: a text, a file, made messages, or the lines of the standard input. */
#include "commands.h"
#include <pubsub/publisher.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct job {
  struct pubsub_publisher *publisher;
  struct pubsub_message message;
  struct pubsub_error error;
};

static bool publish(struct job *job, const void *data, size_t len) {
  job->message.data = (struct pubsub_view){data, len};
  return pubsub_publisher_publish(job->publisher, &job->message, 1, &job->error) == PUBSUB_OK;
}

#define MAX_FILE_BYTES                                                                             \
  10000001u /* one more than a message may have, so that what is larger is refused */
#define FLUSH_MS 600000

static bool publish_file(struct job *job, const char *path) {
  FILE *file = fopen(path, "rb");
  char *data = file ? malloc(MAX_FILE_BYTES) : NULL;
  size_t len = data ? fread(data, 1, MAX_FILE_BYTES, file) : 0;
  bool good = data && !ferror(file);
  if (good) {
    good = publish(job, data, len);
  } else {
    snprintf(job->error.text, sizeof job->error.text, "cannot read '%.300s': %s", path,
             strerror(errno));
  }
  free(data);
  if (file) fclose(file);
  return good;
}

/* Up to a newline, the end or MAX_FILE_BYTES; -1: at the end. */
static ssize_t read_line(char *line) {
  size_t len = 0;
  int byte;
  while (len < MAX_FILE_BYTES && (byte = getc_unlocked(stdin)) != EOF) {
    if (byte == '\n') return (ssize_t)len;
    line[len++] = (char)byte;
  }
  return len > 0 ? (ssize_t)len : -1;
}

static bool publish_lines(struct job *job) {
  char *line = malloc(MAX_FILE_BYTES);
  ssize_t len;
  bool good = line != NULL;
  while (good && !cli_interrupted() && (len = read_line(line)) >= 0) {
    if (len > 0) good = publish(job, line, (size_t)len);
  }
  if (good && !cli_interrupted() && !feof(stdin)) {
    good = false;
    snprintf(job->error.text, sizeof job->error.text, "cannot read the standard input: %s",
             strerror(errno));
  }
  free(line);
  return good;
}

/* Sleeps until message i is due. rate: messages a second; 0: at once. */
static void pace(const struct timespec *begin, unsigned long i, unsigned long rate) {
  if (rate == 0 || rate > 1000000000) return;
  struct timespec due = *begin;
  due.tv_sec += (time_t)(i / rate);
  due.tv_nsec += (long)(i % rate * 1000000000 / rate);
  if (due.tv_nsec >= 1000000000) {
    due.tv_nsec -= 1000000000;
    due.tv_sec++;
  }
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static bool publish_generated(struct job *job, const struct cli_options *options) {
  unsigned long size = options->size, first = options->start, count = options->count;
  struct timespec begin;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  char *data = calloc(1, size + 32);
  bool good = data != NULL;
  for (unsigned long i = 0; good && i < count && !cli_interrupted(); i++) {
    pace(&begin, i, options->rate);
    int written = snprintf(data, 32, "%lu ", first + i);
    memset(data + written, 'x', size > (unsigned)written ? size - (unsigned)written : 0);
    good = publish(job, data, size > 0 ? size : (size_t)written);
    if (i % 100000 == 99999) fprintf(stderr, "published %lu of %lu\n", i + 1, count);
  }
  free(data);
  return good;
}

static void take_attributes(const struct cli_options *options, struct pubsub_attribute *out) {
  for (size_t i = 0; i < options->attribute_count; i++) {
    const char *key = options->attributes[i], *equals = strchr(key, '=');
    out[i].key = (struct pubsub_view){(const uint8_t *)key, (size_t)(equals - key)};
    out[i].value = (struct pubsub_view){(const uint8_t *)equals + 1, strlen(equals + 1)};
  }
}

static bool publish_what_was_asked(struct job *job, const struct cli_options *options) {
  if (options->message) return publish(job, options->message, strlen(options->message));
  if (options->file) return publish_file(job, options->file);
  if (options->count > 0) return publish_generated(job, options);
  return publish_lines(job);
}

/* Everything, until each message has its id; *out_published: how many have. */
static bool publish_all(struct job *job, struct pubsub_client *client, const char *topic,
                        const struct cli_options *options, uint64_t *out_published) {
  struct pubsub_publisher_options publisher_options = {
      .topic = topic, .max_batch_bytes = (uint32_t)options->batch_bytes, .gzip = options->gzip};
  struct pubsub_publisher_metrics metrics;
  if (pubsub_publisher_new(client, &publisher_options, &job->publisher, &job->error) != PUBSUB_OK)
    return false;
  bool good = publish_what_was_asked(job, options) &&
              pubsub_publisher_flush(job->publisher, FLUSH_MS, &job->error) == PUBSUB_OK;
  pubsub_publisher_metrics(job->publisher, &metrics);
  *out_published = metrics.published_rows;
  pubsub_publisher_destroy(job->publisher);
  return good;
}

int cli_publish(const struct cli_options *options, int count, char **arguments) {
  cli_watch_signals();
  char topic[CLI_NAME_BYTES];
  struct pubsub_attribute attributes[CLI_MAX_ATTRIBUTES];
  struct job job = {
      .message = {.attributes = attributes, .attribute_count = options->attribute_count}};
  uint64_t published = 0;
  if (count != 1) return cli_usage("publish TOPIC [--message TEXT | --file FILE]");
  if (!options->message + !options->file + !options->count < 2) {
    fprintf(stderr, "pubsub: of --message, --file and --count only one can be published\n");
    return 2;
  }
  if (!cli_full_name(options, "topics", arguments[0], topic, sizeof topic)) return 2;
  take_attributes(options, attributes);
  if (options->ordering_key) {
    job.message.ordering_key =
        (struct pubsub_view){(const uint8_t *)options->ordering_key, strlen(options->ordering_key)};
  }
  struct pubsub_client *client = cli_connect(options);
  if (!client) return 1;
  bool good = publish_all(&job, client, topic, options, &published);
  pubsub_client_destroy(client);
  if (!good && published > 0)
    fprintf(stderr, "pubsub: %llu messages were published\n", (unsigned long long)published);
  if (!good) return cli_fail(&job.error);
  printf("published %llu\n", (unsigned long long)published);
  return 0;
}
