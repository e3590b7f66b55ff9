/*
 * pull and tail. A message is acknowledged once it was written to the standard output and flushed;
 * what was not is given back. One chunk holds what one flush writes: for pull, one message.
 */
#include "commands.h"
#include "rows.h"
#include <pubsub/subscriber.h>
#include <time.h>

#define SLOT 0
#define EPOCH 1
#define FIRST_WAIT_US 10000000 /* without --wait: for the first message */
#define QUIET_US 1000000       /* … and after one */
#define TAIL_CHUNK_ROWS 1000
#define MAX_OUTSTANDING 1000
#define LOOK_MS 200
#define CLOSE_MS 10000
#define CHECK_MS 5000

struct receiver {
  const struct cli_options *options;
  char subscription[CLI_NAME_BYTES];
  struct pubsub_client *client;
  struct pubsub_subscriber *subscriber;
  unsigned long max, printed; /* max 0: no end */
  uint64_t seq, generation, started_us, last_us;
};

static uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Prints the next chunk and acknowledges it. *out_any: there was one. Returns the exit code. */
static int take_chunk(struct receiver *receiver, bool *out_any) {
  struct pubsub_chunk *chunk;
  struct pubsub_chunk_view view;
  *out_any = pubsub_subscriber_chunk(receiver->subscriber, SLOT, EPOCH, receiver->seq, &chunk,
                                     NULL) == PUBSUB_OK;
  if (!*out_any) return 0;
  pubsub_chunk_view(chunk, &view);
  bool written = cli_rows_print(receiver->options, chunk) && cli_flush();
  pubsub_chunk_unref(chunk);
  if (!written) return 1;
  receiver->printed += (unsigned long)view.rows;
  receiver->last_us = now_us();
  pubsub_subscriber_settle(receiver->subscriber, SLOT, EPOCH, ++receiver->seq, PUBSUB_ACK);
  return 0;
}

static bool is_over(const struct receiver *receiver) {
  uint64_t now = now_us();
  if (cli_interrupted()) return true;
  if (receiver->max == 0) return false;
  if (receiver->printed >= receiver->max) return true;
  if (receiver->options->wait)
    return now - receiver->started_us >= (uint64_t)receiver->options->wait * 1000000;
  return receiver->printed > 0 ? now - receiver->last_us >= QUIET_US
                               : now - receiver->started_us >= FIRST_WAIT_US;
}

/* A stream that failed for good. Returns the exit code. */
static int check_slot(struct receiver *receiver) {
  struct pubsub_slot_report report;
  struct pubsub_error error = {0};
  size_t count;
  pubsub_subscriber_report(receiver->subscriber, &report, 1, &count);
  if (count == 0 || report.state != PUBSUB_SLOT_FAILED) return 0;
  pubsub_subscriber_slot_error(receiver->subscriber, SLOT, EPOCH, &error);
  return cli_fail(&error);
}

static int receive_all(struct receiver *receiver) {
  int code = 0;
  while (code == 0 && !is_over(receiver)) {
    bool any;
    code = take_chunk(receiver, &any);
    if (any || code) continue;
    pubsub_subscriber_wait(receiver->subscriber, &receiver->generation, LOOK_MS);
    code = check_slot(receiver);
  }
  return code;
}

/* Nothing came: is there nothing, or can it not be read? Returns the exit code. */
static int explain_silence(struct receiver *receiver) {
  struct pubsub_error error = {0};
  enum pubsub_status status = pubsub_client_get_subscription(
      receiver->client, receiver->subscription, NULL, CHECK_MS, &error);
  bool unknown = status == PUBSUB_E_GRPC && error.grpc_code == PUBSUB_GRPC_PERMISSION_DENIED;
  if (status != PUBSUB_OK && !unknown) return cli_fail(&error);
  fprintf(stderr, "pubsub: no message came within %lu s\n",
          receiver->options->wait ? receiver->options->wait : FIRST_WAIT_US / 1000000);
  return 0;
}

static int open_stream(struct receiver *receiver) {
  struct pubsub_error error = {0};
  bool few = receiver->max > 0 && receiver->max < MAX_OUTSTANDING;
  struct pubsub_subscriber_options options = {.subscription = receiver->subscription,
                                              .columns = PUBSUB_COLUMN_ALL,
                                              .chunk_rows = receiver->max ? 1 : TAIL_CHUNK_ROWS,
                                              .max_outstanding_messages = receiver->max == 0 ? 0
                                                                          : few ? receiver->max
                                                                                : MAX_OUTSTANDING};
  if (pubsub_subscriber_new(receiver->client, &options, &receiver->subscriber, &error) !=
          PUBSUB_OK ||
      pubsub_subscriber_open_slot(receiver->subscriber, SLOT, EPOCH, 0, &error) != PUBSUB_OK) {
    return cli_fail(&error);
  }
  receiver->started_us = now_us();
  return 0;
}

/* Gives back what was not printed; after a success it waits for the acknowledgements. */
static int close_stream(struct receiver *receiver, int code) {
  struct pubsub_error error = {0};
  if (receiver->subscriber &&
      pubsub_subscriber_close(receiver->subscriber, CLOSE_MS, &error) != PUBSUB_OK && code == 0) {
    code = cli_fail(&error);
  }
  pubsub_subscriber_destroy(receiver->subscriber);
  return code;
}

/* max 0: until it is interrupted. */
static int receive(const struct cli_options *options, const char *name, unsigned long max) {
  struct receiver receiver = {.options = options, .max = max};
  if (!cli_full_name(options, "subscriptions", name, receiver.subscription,
                     sizeof receiver.subscription)) {
    return 2;
  }
  receiver.client = cli_connect(options);
  if (!receiver.client) return 1;
  int code = open_stream(&receiver);
  if (code == 0) code = receive_all(&receiver);
  code = close_stream(&receiver, code);
  if (code == 0 && max > 0 && receiver.printed == 0 && !cli_interrupted())
    code = explain_silence(&receiver);
  pubsub_client_destroy(receiver.client);
  return code;
}

int cli_pull(const struct cli_options *options, int count, char **arguments) {
  cli_watch_signals();
  if (count != 1) return cli_usage("pull SUBSCRIPTION [--max N] [--wait SECONDS] [--json]");
  return receive(options, arguments[0], options->max ? options->max : 1);
}

int cli_tail(const struct cli_options *options, int count, char **arguments) {
  cli_watch_signals();
  if (count != 1) return cli_usage("tail SUBSCRIPTION [--json]");
  return receive(options, arguments[0], 0);
}
