/* What there is to say about the commands: help, the man page, completion for shells. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli.h"

/* The overview. */
void cli_help_all(FILE *out, const struct cli_command *commands);
/* The commands that begin with a word ("topic"). False: there are none. */
bool cli_help_group(FILE *out, const struct cli_command *commands, const char *word);
/* One command, with its options and an example. */
void cli_help_command(FILE *out, const struct cli_command *command);

/* `pubsub man` and `pubsub completion bash|zsh`: as struct cli_command's run. */
int cli_man(const struct cli_options *options, int count, char **arguments);
int cli_completion(const struct cli_options *options, int count, char **arguments);

#endif
