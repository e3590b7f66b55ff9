/* pull and tail: receive, print through Arrow, acknowledge what was printed, give back the rest. */
#include "cli.h"
#include <string.h>

static void print_text(const char *text, size_t len, bool json) {
  if (!json) {
    fwrite(text, 1, len, stdout);
    return;
  }
  putchar('"');
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c == '"' || c == '\\') {
      printf("\\%c", c);
    } else if (c < 0x20 || c == 0x7f) {
      printf("\\u%04x", c);
    } else {
      putchar(c);
    }
  }
  putchar('"');
}

static void print_value(const struct ArrowArray *array, int64_t row, bool json) {
  const int32_t *offsets = array->buffers[1];
  const char *bytes = array->buffers[2];
  print_text(bytes + offsets[row], (size_t)(offsets[row + 1] - offsets[row]), json);
}

static void print_attributes(const struct ArrowArray *map, int64_t row) {
  const int32_t *offsets = map->buffers[1];
  const struct ArrowArray *keys = map->children[0]->children[0];
  const struct ArrowArray *values = map->children[0]->children[1];
  putchar('{');
  for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
    if (i > offsets[row]) putchar(',');
    print_value(keys, i, true);
    putchar(':');
    print_value(values, i, true);
  }
  putchar('}');
}

int cli_print_chunk(struct pubsub_chunk *chunk, bool json, unsigned long max) {
  struct ArrowSchema schema;
  struct ArrowArray batch;
  struct pubsub_error error = {0};
  if (pubsub_chunk_export(chunk, &schema, &batch, &error) != PUBSUB_OK) return -1;
  int printed = 0;
  for (int64_t row = 0; row < batch.length && (unsigned long)printed < max; row++, printed++) {
    if (!json) {
      print_value(batch.children[1], row, false);
      putchar('\n');
      continue;
    }
    printf("{\"message_id\":");
    print_value(batch.children[0], row, true);
    printf(",\"data\":");
    print_value(batch.children[1], row, true);
    printf(",\"attributes\":");
    print_attributes(batch.children[2], row);
    printf(",\"publish_time_us\":%lld}\n",
           (long long)((const int64_t *)batch.children[3]->buffers[1])[row]);
  }
  batch.release(&batch);
  schema.release(&schema);
  fflush(stdout);
  return printed;
}

static int receive(const struct cli_options *options, const char *name, unsigned long max) {
  char subscription[600];
  struct pubsub_error error = {0};
  if (!cli_full_name(options, "subscriptions", name, subscription, sizeof subscription)) return 2;
  struct pubsub_client *client = cli_connect(options);
  if (!client) return 1;
  /* Chunks of one row where a few are wanted: what is acknowledged is exactly what is printed. */
  struct pubsub_subscriber_options subscriber_options = {.subscription = subscription,
                                                         .columns = PUBSUB_COLUMN_ALL,
                                                         .chunk_rows = max < 10000 ? 1 : 1000,
                                                         .max_outstanding_messages =
                                                             max < 10000 ? max : 0};
  struct pubsub_subscriber *subscriber = NULL;
  unsigned long printed = 0;
  uint64_t seq = 0, generation = 0;
  int result = 0;
  if (pubsub_subscriber_new(client, &subscriber_options, &subscriber, &error) != PUBSUB_OK ||
      pubsub_subscriber_open_slot(subscriber, 0, 1, 0, &error) != PUBSUB_OK) {
    result = cli_fail(&error);
  }
  while (result == 0 && printed < max && !cli_interrupted()) {
    struct pubsub_chunk *chunk;
    struct pubsub_slot_report report;
    size_t count;
    if (pubsub_subscriber_chunk(subscriber, 0, 1, seq, &chunk, NULL) == PUBSUB_OK) {
      int rows = cli_print_chunk(chunk, options->json, max - printed);
      pubsub_chunk_unref(chunk);
      if (rows < 0) break;
      printed += (unsigned long)rows;
      pubsub_subscriber_settle(subscriber, 0, 1, ++seq, PUBSUB_ACK);
      continue;
    }
    pubsub_subscriber_wait(subscriber, &generation, 200);
    pubsub_subscriber_report(subscriber, &report, 1, &count);
    if (count > 0 && report.state == PUBSUB_SLOT_FAILED) {
      pubsub_subscriber_slot_error(subscriber, 0, 1, &error);
      result = cli_fail(&error);
    }
  }
  if (subscriber && result == 0 &&
      pubsub_subscriber_close(subscriber, 10000, &error) != PUBSUB_OK) {
    result = cli_fail(&error);
  }
  pubsub_subscriber_destroy(subscriber);
  pubsub_client_destroy(client);
  return result;
}

int cli_pull(const struct cli_options *options, int count, char **arguments) {
  if (count != 1) {
    fprintf(stderr, "usage: pubsub pull SUBSCRIPTION [--max N] [--json]\n");
    return 2;
  }
  return receive(options, arguments[0], options->max ? options->max : 1);
}

int cli_tail(const struct cli_options *options, int count, char **arguments) {
  if (count != 1) {
    fprintf(stderr, "usage: pubsub tail SUBSCRIPTION [--json]\n");
    return 2;
  }
  return receive(options, arguments[0], (unsigned long)-1);
}
