/* What main.c can run, as struct cli_command's run. Each stands in the file of its noun. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli.h"

typedef int cli_run_fn(const struct cli_options *options, int count, char **arguments);

cli_run_fn cli_topic_create, cli_topic_get, cli_topic_list, cli_topic_delete;
cli_run_fn cli_subscription_create, cli_subscription_get, cli_subscription_list;
cli_run_fn cli_subscription_update, cli_subscription_seek, cli_subscription_detach;
cli_run_fn cli_subscription_delete;
cli_run_fn cli_snapshot_create, cli_snapshot_list, cli_snapshot_delete;
cli_run_fn cli_publish, cli_pull, cli_tail, cli_bench_receive, cli_bench_publish;

#endif
