/* The pubsub command: what it can do, and finding what was asked for. */
#include "commands.h"
#include "help.h"
#include "option.h"
#include <string.h>

static const struct cli_command commands[] = {
    {"topic create", "TOPIC", "Creates a topic", NULL, "",
     "pubsub topic create orders --project shop", cli_topic_create},
    {"topic get", "TOPIC", "Says whether a topic is there", NULL, "",
     "pubsub topic get orders --project shop", cli_topic_get},
    {"topic list", "", "Lists the topics of a project", NULL, "",
     "pubsub topic list --project shop", cli_topic_list},
    {"topic delete", "TOPIC", "Deletes a topic; its subscriptions stay", NULL, "",
     "pubsub topic delete orders --project shop", cli_topic_delete},
    {"subscription create", "SUBSCRIPTION", "Creates a subscription of a topic", NULL, "tdRAEoF",
     "pubsub subscription create orders-sub --topic orders --ack-deadline 60 --project shop",
     cli_subscription_create},
    {"subscription get", "SUBSCRIPTION", "Shows a subscription", NULL, "",
     "pubsub subscription get orders-sub --project shop", cli_subscription_get},
    {"subscription list", "", "Lists the subscriptions of a project or a topic", NULL, "t",
     "pubsub subscription list --topic orders --project shop", cli_subscription_list},
    {"subscription update", "SUBSCRIPTION", "Changes a subscription", NULL, "dRANEO",
     "pubsub subscription update orders-sub --retain-acked --retention 86400 --project shop",
     cli_subscription_update},
    {"subscription seek", "SUBSCRIPTION", "Moves a subscription to a time or a snapshot",
     "What was published before counts as acknowledged; what came after it and is still kept "
     "comes\n"
     "again. Acknowledged messages are kept where the subscription was made with --retain-acked.",
     "ug", "pubsub subscription seek orders-sub --time -2h --project shop", cli_subscription_seek},
    {"subscription detach", "SUBSCRIPTION", "Cuts a subscription off from its topic, for good",
     NULL, "", "pubsub subscription detach orders-sub --project shop", cli_subscription_detach},
    {"subscription delete", "SUBSCRIPTION", "Deletes a subscription with all it holds", NULL, "",
     "pubsub subscription delete orders-sub --project shop", cli_subscription_delete},
    {"snapshot create", "SNAPSHOT SUB", "Notes what a subscription has not acknowledged", NULL, "",
     "pubsub snapshot create before-release orders-sub --project shop", cli_snapshot_create},
    {"snapshot list", "", "Lists the snapshots of a project", NULL, "",
     "pubsub snapshot list --project shop", cli_snapshot_list},
    {"snapshot delete", "SNAPSHOT", "Deletes a snapshot", NULL, "",
     "pubsub snapshot delete before-release --project shop", cli_snapshot_delete},
    {"publish", "TOPIC", "Publishes a message, a file, or each line of the standard input",
     "--count makes messages: \"0 xxx…\", \"1 xxx…\", of --size bytes.", "mfaknsbBrz",
     "echo hello | pubsub publish orders --attribute origin=web --project shop", cli_publish},
    {"pull", "SUBSCRIPTION", "Receives messages, prints and acknowledges them, and ends",
     "A message is acknowledged once it was written; if that fails it is given back. It ends when\n"
     "--max messages were printed or --wait is over, with what there was.",
     "xWjY", "pubsub pull orders-sub --max 10 --json --project shop", cli_pull},
    {"tail", "SUBSCRIPTION", "Receives, prints and acknowledges messages until Ctrl-C",
     "A message is acknowledged once it was written; if that fails it is given back.", "jY",
     "pubsub tail orders-sub --json --text --project shop | jq .data", cli_tail},
    {"bench receive", "SUBSCRIPTION", "Measures receiving and acknowledging; one line of JSON",
     NULL, "nsSwC", "pubsub bench receive orders-sub --count 1000000 --streams 4 --project shop",
     cli_bench_receive},
    {"bench publish", "TOPIC", "Measures publishing; one line of JSON", NULL, "ns",
     "pubsub bench publish orders --count 1000000 --size 1000 --project shop", cli_bench_publish},
    {"completion", "bash|zsh", "Prints completion for a shell", NULL, "",
     "source <(pubsub completion bash)", cli_completion},
    {"man", "", "Prints the man page", NULL, "", "pubsub man | man -l -", cli_man},
    {0}};

/* The command that the first words name; *out_words: how many they are. NULL: none. */
static const struct cli_command *find(int count, char **words, int *out_words) {
  for (const struct cli_command *command = commands; command->name; command++) {
    const char *space = strchr(command->name, ' ');
    size_t len = space ? (size_t)(space - command->name) : strlen(command->name);
    if (count < 1 || strlen(words[0]) != len || strncmp(words[0], command->name, len) != 0)
      continue;
    *out_words = space ? 2 : 1;
    if (!space || (count > 1 && strcmp(words[1], space + 1) == 0)) return command;
  }
  return NULL;
}

static int help(FILE *out, int count, char **words) {
  int used = 0;
  const struct cli_command *command = find(count, words, &used);
  if (!command && count > (used == 2)) {
    fprintf(stderr, "pubsub: '%s%s%s' is no command\n", words[0], used == 2 ? " " : "",
            used == 2 ? words[1] : "");
  }
  if (command) {
    cli_help_command(out, command);
  } else if (count < 1 || !cli_help_group(out, commands, words[0])) {
    cli_help_all(out, commands);
  }
  return out == stdout ? 0 : 2;
}

static int run(const struct cli_options *options, const char *given, int count, char **words) {
  int used;
  if (options->version) {
    char libraries[256];
    pubsub_libraries(libraries, sizeof libraries);
    printf("pubsub %s\n%s\n", pubsub_version(), libraries);
    return 0;
  }
  bool asked = count > 0 && strcmp(words[0], "help") == 0;
  if (options->help || asked) return help(stdout, count - asked, words + asked);
  const struct cli_command *command = find(count, words, &used);
  if (!command) return help(stderr, count, words);
  if (!cli_option_check(command, given)) return 2;
  return command->run(options, count - used, words + used);
}

int main(int argc, char **argv) {
  struct cli_options options = {.commands = commands};
  char given[128];
  int first = cli_option_parse(argc, argv, &options, given);
  if (first < 0) return 2;
  cli_ignore_closed_pipes();
  int code = run(&options, given, argc - first, argv + first);
  return cli_flush() || code ? code : 1;
}
