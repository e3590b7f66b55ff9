#include "commands.h"
#include <pubsub/publisher.h>
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

static bool publish_file(struct job *job, const char *path) {
  FILE *file = fopen(path, "rb");
  char *data = file ? malloc(10000001) : NULL;
  bool good = false;
  if (!data) {
    snprintf(job->error.text, sizeof job->error.text, "cannot read '%.300s'", path);
  } else {
    good = publish(job, data, fread(data, 1, 10000001, file));
  }
  free(data);
  if (file) fclose(file);
  return good;
}

static bool publish_lines(struct job *job) {
  char *line = NULL;
  size_t room = 0;
  ssize_t len;
  bool good = true;
  while (good && !cli_interrupted() && (len = getline(&line, &room, stdin)) >= 0) {
    if (len > 0 && line[len - 1] == '\n') len--;
    if (len > 0) good = publish(job, line, (size_t)len);
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

int cli_publish(const struct cli_options *options, int count, char **arguments) {
  char topic[600];
  struct pubsub_attribute attributes[100];
  struct job job = {.message.attributes = attributes,
                    .message.attribute_count = options->attribute_count};
  if (count != 1) return cli_usage("publish TOPIC [--message TEXT | --file FILE]");
  if (!cli_full_name(options, "topics", arguments[0], topic, sizeof topic)) return 2;
  for (size_t i = 0; i < options->attribute_count; i++) {
    const char *key = options->attributes[i], *equals = strchr(key, '=');
    attributes[i].key = (struct pubsub_view){(const uint8_t *)key, (size_t)(equals - key)};
    attributes[i].value = (struct pubsub_view){(const uint8_t *)equals + 1, strlen(equals + 1)};
  }
  if (options->ordering_key) {
    job.message.ordering_key =
        (struct pubsub_view){(const uint8_t *)options->ordering_key, strlen(options->ordering_key)};
  }
  struct pubsub_client *client = cli_connect(options);
  if (!client) return 1;
  struct pubsub_publisher_options publisher_options = {
      .topic = topic, .max_batch_bytes = options->batch_bytes, .gzip = options->gzip};
  bool good =
      pubsub_publisher_new(client, &publisher_options, &job.publisher, &job.error) == PUBSUB_OK;
  if (good && options->message) {
    good = publish(&job, options->message, strlen(options->message));
  } else if (good && options->file) {
    good = publish_file(&job, options->file);
  } else if (good && options->count > 0) {
    good = publish_generated(&job, options);
  } else if (good) {
    good = publish_lines(&job);
  }
  if (good) good = pubsub_publisher_flush(job.publisher, 600000, &job.error) == PUBSUB_OK;
  struct pubsub_publisher_metrics metrics = {0};
  if (job.publisher) pubsub_publisher_metrics(job.publisher, &metrics);
  pubsub_publisher_destroy(job.publisher);
  pubsub_client_destroy(client);
  if (!good) return cli_fail(&job.error);
  printf("published %llu\n", (unsigned long long)metrics.published_rows);
  return 0;
}
