/* snapshot create, list, delete. */
#include "commands.h"

int cli_snapshot_create(const struct cli_options *options, int count, char **arguments) {
  char snapshot[CLI_NAME_BYTES], subscription[CLI_NAME_BYTES];
  struct pubsub_error error = {0};
  if (count != 2) return cli_usage("snapshot create SNAPSHOT SUBSCRIPTION");
  if (!cli_full_name(options, "snapshots", arguments[0], snapshot, sizeof snapshot) ||
      !cli_full_name(options, "subscriptions", arguments[1], subscription, sizeof subscription)) {
    return 2;
  }
  struct pubsub_client *client = cli_connect(options);
  if (!client) return 1;
  enum pubsub_status status =
      pubsub_client_create_snapshot(client, snapshot, subscription, CLI_TIMEOUT_MS, &error);
  pubsub_client_destroy(client);
  if (status != PUBSUB_OK) return cli_fail(&error);
  puts(snapshot);
  return 0;
}

int cli_snapshot_delete(const struct cli_options *options, int count, char **arguments) {
  char snapshot[CLI_NAME_BYTES];
  struct pubsub_error error = {0};
  if (count != 1) return cli_usage("snapshot delete SNAPSHOT");
  if (!cli_full_name(options, "snapshots", arguments[0], snapshot, sizeof snapshot)) return 2;
  struct pubsub_client *client = cli_connect(options);
  if (!client) return 1;
  enum pubsub_status status =
      pubsub_client_delete_snapshot(client, snapshot, CLI_TIMEOUT_MS, &error);
  pubsub_client_destroy(client);
  if (status != PUBSUB_OK) return cli_fail(&error);
  puts(snapshot);
  return 0;
}

int cli_snapshot_list(const struct cli_options *options, int count, char **arguments) {
  char project[CLI_NAME_BYTES];
  struct pubsub_error error = {0};
  (void)arguments;
  if (count != 0) return cli_usage("snapshot list");
  if (!cli_project_name(options, project, sizeof project)) return 2;
  struct pubsub_client *client = cli_connect(options);
  if (!client) return 1;
  enum pubsub_status status =
      pubsub_client_list_snapshots(client, project, cli_print_name, NULL, CLI_TIMEOUT_MS, &error);
  pubsub_client_destroy(client);
  return status == PUBSUB_OK ? 0 : cli_fail(&error);
}
