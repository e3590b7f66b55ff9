#include "cli.h"
#include <string.h>

int cli_topic(const struct cli_options *options, int count, char **arguments) {
  char name[600];
  struct pubsub_error error = {0};
  enum pubsub_status status;
  if (count != 2) {
    fprintf(stderr, "usage: pubsub topic create|get|delete TOPIC\n");
    return 2;
  }
  if (!cli_full_name(options, "topics", arguments[1], name, sizeof name)) return 2;
  struct pubsub_client *client = cli_connect(options);
  if (!client) return 1;
  if (strcmp(arguments[0], "create") == 0) {
    status = pubsub_client_create_topic(client, name, CLI_TIMEOUT_MS, &error);
  } else if (strcmp(arguments[0], "delete") == 0) {
    status = pubsub_client_delete_topic(client, name, CLI_TIMEOUT_MS, &error);
  } else {
    status = pubsub_client_get_topic(client, name, CLI_TIMEOUT_MS, &error);
  }
  pubsub_client_destroy(client);
  if (status != PUBSUB_OK) return cli_fail(&error);
  printf("%s\n", name);
  return 0;
}

int cli_subscription(const struct cli_options *options, int count, char **arguments) {
  char name[600];
  struct pubsub_subscription_info info = {.ack_deadline_s = (uint32_t)options->ack_deadline};
  struct pubsub_error error = {0};
  enum pubsub_status status;
  bool create = count == 2 && strcmp(arguments[0], "create") == 0;
  if (count != 2 || (create && !options->topic)) {
    fprintf(stderr, "usage: pubsub subscription create|get|delete SUBSCRIPTION [--topic TOPIC]\n");
    return 2;
  }
  if (!cli_full_name(options, "subscriptions", arguments[1], name, sizeof name) ||
      (create &&
       !cli_full_name(options, "topics", options->topic, info.topic, sizeof info.topic))) {
    return 2;
  }
  struct pubsub_client *client = cli_connect(options);
  if (!client) return 1;
  if (create) {
    status = pubsub_client_create_subscription(client, name, &info, CLI_TIMEOUT_MS, &error);
  } else if (strcmp(arguments[0], "delete") == 0) {
    status = pubsub_client_delete_subscription(client, name, CLI_TIMEOUT_MS, &error);
  } else {
    status = pubsub_client_get_subscription(client, name, &info, CLI_TIMEOUT_MS, &error);
  }
  pubsub_client_destroy(client);
  if (status != PUBSUB_OK) return cli_fail(&error);
  if (!info.ack_deadline_s) info.ack_deadline_s = 10; /* what the service takes by default */
  printf("%s topic=%s ack_deadline=%us\n", name, info.topic, info.ack_deadline_s);
  return 0;
}
