/* subscription create, get, list, update, seek, detach, delete. */
#include "commands.h"
#include "seek_time.h"
#include <string.h>
#include <time.h>

#define DEFAULT_ACK_DEADLINE_S 10 /* the service's */

struct subject {
  char name[CLI_NAME_BYTES];
  struct pubsub_client *client;
};

/* The full name of the only argument, and a client. 0: both are there; else the exit code. */
static int open_subject(const struct cli_options *options, int count, char **arguments,
                        const char *usage, struct subject *out) {
  if (count != 1) return cli_usage(usage);
  if (!cli_full_name(options, "subscriptions", arguments[0], out->name, sizeof out->name)) return 2;
  out->client = cli_connect(options);
  return out->client ? 0 : 1;
}

static int close_subject(struct subject *subject, enum pubsub_status status,
                         const struct pubsub_error *error) {
  pubsub_client_destroy(subject->client);
  return status == PUBSUB_OK ? 0 : cli_fail(error);
}

static void print_info(const char *name, const struct pubsub_subscription_info *info) {
  unsigned deadline = info->ack_deadline_s ? info->ack_deadline_s : DEFAULT_ACK_DEADLINE_S;
  printf("%s topic=%s ack_deadline=%us", name, info->topic, deadline);
  if (info->retention_s) printf(" retention=%llus", (unsigned long long)info->retention_s);
  if (info->retain_acked) printf(" retain_acked");
  if (info->exactly_once) printf(" exactly_once");
  if (info->ordering) printf(" ordering");
  if (info->detached) printf(" detached");
  if (info->filter[0]) printf(" filter=%s", info->filter);
  putchar('\n');
}

static struct pubsub_subscription_info info_of(const struct cli_options *options) {
  struct pubsub_subscription_info info = {.ack_deadline_s = (uint32_t)options->ack_deadline,
                                          .retention_s = options->retention,
                                          .retain_acked = options->retain_acked,
                                          .exactly_once = options->exactly_once,
                                          .ordering = options->ordering};
  if (options->filter) snprintf(info.filter, sizeof info.filter, "%s", options->filter);
  return info;
}

int cli_subscription_create(const struct cli_options *options, int count, char **arguments) {
  static const char usage[] = "subscription create SUBSCRIPTION --topic TOPIC";
  struct pubsub_subscription_info info = info_of(options);
  struct pubsub_error error = {0};
  struct subject subject;
  if (!options->topic) return cli_usage(usage);
  if (!cli_full_name(options, "topics", options->topic, info.topic, sizeof info.topic)) return 2;
  int code = open_subject(options, count, arguments, usage, &subject);
  if (code) return code;
  enum pubsub_status status = pubsub_client_create_subscription(subject.client, subject.name, &info,
                                                                CLI_TIMEOUT_MS, &error);
  if (status == PUBSUB_OK) print_info(subject.name, &info);
  return close_subject(&subject, status, &error);
}

int cli_subscription_get(const struct cli_options *options, int count, char **arguments) {
  struct pubsub_subscription_info info;
  struct pubsub_error error = {0};
  struct subject subject;
  int code = open_subject(options, count, arguments, "subscription get SUBSCRIPTION", &subject);
  if (code) return code;
  enum pubsub_status status =
      pubsub_client_get_subscription(subject.client, subject.name, &info, CLI_TIMEOUT_MS, &error);
  if (status == PUBSUB_OK) print_info(subject.name, &info);
  return close_subject(&subject, status, &error);
}

int cli_subscription_list(const struct cli_options *options, int count, char **arguments) {
  char parent[CLI_NAME_BYTES];
  struct pubsub_error error = {0};
  (void)arguments;
  if (count != 0) return cli_usage("subscription list [--topic TOPIC]");
  bool named = options->topic
                   ? cli_full_name(options, "topics", options->topic, parent, sizeof parent)
                   : cli_project_name(options, parent, sizeof parent);
  if (!named) return 2;
  struct subject subject = {.client = cli_connect(options)};
  if (!subject.client) return 1;
  enum pubsub_status status = pubsub_client_list_subscriptions(
      subject.client, parent, cli_print_name, NULL, CLI_TIMEOUT_MS, &error);
  return close_subject(&subject, status, &error);
}

static uint32_t fields_of(const struct cli_options *options) {
  uint32_t fields = 0;
  if (options->ack_deadline) fields |= PUBSUB_SUBSCRIPTION_ACK_DEADLINE;
  if (options->retention) fields |= PUBSUB_SUBSCRIPTION_RETENTION;
  if (options->exactly_once || options->no_exactly_once) fields |= PUBSUB_SUBSCRIPTION_EXACTLY_ONCE;
  if (options->retain_acked || options->no_retain_acked) fields |= PUBSUB_SUBSCRIPTION_RETAIN_ACKED;
  return fields;
}

int cli_subscription_update(const struct cli_options *options, int count, char **arguments) {
  struct pubsub_subscription_info info = info_of(options);
  struct pubsub_error error = {0};
  struct subject subject;
  uint32_t fields = fields_of(options);
  if (!fields || (options->exactly_once && options->no_exactly_once) ||
      (options->retain_acked && options->no_retain_acked)) {
    return cli_usage("subscription update SUBSCRIPTION, and what is to change: --ack-deadline, "
                     "--retention, --[no-]exactly-once, --[no-]retain-acked");
  }
  int code = open_subject(options, count, arguments, "subscription update SUBSCRIPTION", &subject);
  if (code) return code;
  enum pubsub_status status = pubsub_client_update_subscription(subject.client, subject.name, &info,
                                                                fields, CLI_TIMEOUT_MS, &error);
  if (status == PUBSUB_OK) {
    status =
        pubsub_client_get_subscription(subject.client, subject.name, &info, CLI_TIMEOUT_MS, &error);
  }
  if (status == PUBSUB_OK) print_info(subject.name, &info);
  return close_subject(&subject, status, &error);
}

static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int cli_subscription_seek(const struct cli_options *options, int count, char **arguments) {
  static const char usage[] = "subscription seek SUBSCRIPTION --time TIME | --snapshot SNAPSHOT";
  char snapshot[CLI_NAME_BYTES];
  int64_t time_us = 0;
  struct pubsub_error error = {0};
  struct subject subject;
  if (!options->time == !options->snapshot) return cli_usage(usage);
  if (options->time && !cli_seek_time_parse(options->time, now_us(), &time_us)) {
    fprintf(stderr, "pubsub: '%s' is no time; 2026-01-31T08:00:00Z, now and -2h are\n",
            options->time);
    return 2;
  }
  if (options->snapshot &&
      !cli_full_name(options, "snapshots", options->snapshot, snapshot, sizeof snapshot)) {
    return 2;
  }
  int code = open_subject(options, count, arguments, usage, &subject);
  if (code) return code;
  enum pubsub_status status =
      options->time
          ? pubsub_client_seek(subject.client, subject.name, time_us, CLI_TIMEOUT_MS, &error)
          : pubsub_client_seek_to_snapshot(subject.client, subject.name, snapshot, CLI_TIMEOUT_MS,
                                           &error);
  if (status == PUBSUB_OK) puts(subject.name);
  return close_subject(&subject, status, &error);
}

int cli_subscription_detach(const struct cli_options *options, int count, char **arguments) {
  struct pubsub_error error = {0};
  struct subject subject;
  int code = open_subject(options, count, arguments, "subscription detach SUBSCRIPTION", &subject);
  if (code) return code;
  enum pubsub_status status =
      pubsub_client_detach_subscription(subject.client, subject.name, CLI_TIMEOUT_MS, &error);
  if (status == PUBSUB_OK) puts(subject.name);
  return close_subject(&subject, status, &error);
}

int cli_subscription_delete(const struct cli_options *options, int count, char **arguments) {
  struct pubsub_error error = {0};
  struct subject subject;
  int code = open_subject(options, count, arguments, "subscription delete SUBSCRIPTION", &subject);
  if (code) return code;
  enum pubsub_status status =
      pubsub_client_delete_subscription(subject.client, subject.name, CLI_TIMEOUT_MS, &error);
  if (status == PUBSUB_OK) puts(subject.name);
  return close_subject(&subject, status, &error);
}
