/* topic create, get, list, delete. */
#include "commands.h"

typedef enum pubsub_status topic_fn(struct pubsub_client *client, const char *topic,
                                    uint32_t timeout_ms, struct pubsub_error *error);

/* Does something with one topic and prints its name. */
static int with_topic(const struct cli_options *options, int count, char **arguments, topic_fn *act,
                      const char *usage) {
  char name[CLI_NAME_BYTES];
  struct pubsub_error error = {0};
  if (count != 1) return cli_usage(usage);
  if (!cli_full_name(options, "topics", arguments[0], name, sizeof name)) return 2;
  struct pubsub_client *client = cli_connect(options);
  if (!client) return 1;
  enum pubsub_status status = act(client, name, CLI_TIMEOUT_MS, &error);
  pubsub_client_destroy(client);
  if (status != PUBSUB_OK) return cli_fail(&error);
  puts(name);
  return 0;
}

int cli_topic_create(const struct cli_options *options, int count, char **arguments) {
  return with_topic(options, count, arguments, pubsub_client_create_topic, "topic create TOPIC");
}

int cli_topic_get(const struct cli_options *options, int count, char **arguments) {
  return with_topic(options, count, arguments, pubsub_client_get_topic, "topic get TOPIC");
}

int cli_topic_delete(const struct cli_options *options, int count, char **arguments) {
  return with_topic(options, count, arguments, pubsub_client_delete_topic, "topic delete TOPIC");
}

int cli_topic_list(const struct cli_options *options, int count, char **arguments) {
  char project[CLI_NAME_BYTES];
  struct pubsub_error error = {0};
  (void)arguments;
  if (count != 0) return cli_usage("topic list");
  if (!cli_project_name(options, project, sizeof project)) return 2;
  struct pubsub_client *client = cli_connect(options);
  if (!client) return 1;
  enum pubsub_status status =
      pubsub_client_list_topics(client, project, cli_print_name, NULL, CLI_TIMEOUT_MS, &error);
  pubsub_client_destroy(client);
  return status == PUBSUB_OK ? 0 : cli_fail(&error);
}
