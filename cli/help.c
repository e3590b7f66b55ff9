#include "help.h"

#include "option.h"
#include <string.h>

static void print_option(FILE *out, const struct cli_option *option) {
  char left[64];
  snprintf(left, sizeof left, "--%s%s%s", option->name, option->argument ? " " : "",
           option->argument ? option->argument : "");
  fprintf(out, "  %-26s %s\n", left, option->help);
}

static void print_common(FILE *out) {
  fprintf(out, "\noptions of all commands:\n");
  for (const struct cli_option *option = cli_option_table; option->name; option++) {
    if (option->common) print_option(out, option);
  }
}

static void print_line(FILE *out, const struct cli_command *command) {
  char left[80];
  snprintf(left, sizeof left, "%s %s", command->name, command->arguments);
  fprintf(out, "  %-36s %s\n", left, command->summary);
}

void cli_help_all(FILE *out, const struct cli_command *commands) {
  fprintf(out, "usage: pubsub COMMAND … [options]\n\n");
  for (const struct cli_command *command = commands; command->name; command++)
    print_line(out, command);
  fprintf(out, "\nEach has its own help: pubsub pull --help\n");
  print_common(out);
}

bool cli_help_group(FILE *out, const struct cli_command *commands, const char *word) {
  size_t len = strlen(word);
  bool any = false;
  for (const struct cli_command *command = commands; command->name; command++) {
    if (strncmp(command->name, word, len) != 0 || command->name[len] != ' ') continue;
    if (!any) fprintf(out, "usage: pubsub %s … [options]\n\n", word);
    any = true;
    print_line(out, command);
  }
  if (any) fprintf(out, "\nEach has its own help, with an example: pubsub %s … --help\n", word);
  return any;
}

void cli_help_command(FILE *out, const struct cli_command *command) {
  fprintf(out, "usage: pubsub %s %s [options]\n\n%s.\n", command->name, command->arguments,
          command->summary);
  if (command->details) fprintf(out, "%s\n", command->details);
  if (command->options[0]) fprintf(out, "\noptions:\n");
  for (const struct cli_option *option = cli_option_table; option->name; option++) {
    if (!option->common && cli_option_belongs(command, option)) print_option(out, option);
  }
  print_common(out);
  fprintf(out, "\nexample:\n  %s\n", command->example);
}
