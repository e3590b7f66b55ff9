/* Completion for bash and zsh, from the same tables as the help. One function for both: zsh has
 * bash's. */
#include "help.h"
#include "option.h"
#include <string.h>

static const char begin[] = "_pubsub() {\n"
                            "  local word=${COMP_WORDS[COMP_CWORD]} "
                            "before=${COMP_WORDS[COMP_CWORD-1]} command= choices= i\n"
                            "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
                            "    case ${COMP_WORDS[i]} in\n";

static const char middle[] = "      -*) ;;\n"
                             "      *) command+=\"${command:+ }${COMP_WORDS[i]}\" ;;\n"
                             "    esac\n"
                             "  done\n"
                             "  case $before in\n"
                             "    --file | --ca-file | --credentials | --access-token-file) "
                             "COMPREPLY=($(compgen -f -- \"$word\")); return "
                             ";;\n"
                             "  esac\n"
                             "  case $command in\n";

static const char end[] = "  esac\n"
                          "  COMPREPLY=($(compgen -W \"$choices\" -- \"$word\"))\n"
                          "}\n"
                          "complete -F _pubsub pubsub\n";

/* The options that a value follows, which is no part of the command's name. */
static void print_valued(void) {
  bool first = true;
  printf("      ");
  for (const struct cli_option *option = cli_option_table; option->name; option++) {
    if (!option->argument) continue;
    printf("%s--%s", first ? "" : " | ", option->name);
    first = false;
  }
  printf(") ((i++)) ;;\n");
}

static void print_first_words(const struct cli_command *commands) {
  const char *last = "";
  printf("    '') choices='");
  for (const struct cli_command *command = commands; command->name; command++) {
    size_t len = strcspn(command->name, " ");
    if (strncmp(command->name, last, len) == 0 && last[len] == ' ') continue;
    printf("%.*s ", (int)len, command->name);
    last = command->name;
  }
  printf("' ;;\n");
}

/* The second words behind each first one. */
static void print_second_words(const struct cli_command *commands) {
  for (const struct cli_command *command = commands; command->name;) {
    size_t len = strcspn(command->name, " ");
    const char *group = command->name;
    if (group[len] == '\0') {
      command++;
      continue;
    }
    printf("    %.*s) choices='", (int)len, group);
    for (; command->name && strncmp(command->name, group, len + 1) == 0; command++)
      printf("%s ", command->name + len + 1);
    printf("' ;;\n");
  }
}

static void print_options(const struct cli_command *command) {
  printf("    '%s'*) choices='", command->name);
  for (const struct cli_option *option = cli_option_table; option->name; option++) {
    if (cli_option_belongs(command, option)) printf("--%s ", option->name);
  }
  printf("' ;;\n");
}

int cli_completion(const struct cli_options *options, int count, char **arguments) {
  bool zsh = count == 1 && strcmp(arguments[0], "zsh") == 0;
  if (!zsh && (count != 1 || strcmp(arguments[0], "bash") != 0))
    return cli_usage("completion bash|zsh");
  if (zsh) printf("autoload -U +X bashcompinit && bashcompinit\n");
  fputs(begin, stdout);
  print_valued();
  fputs(middle, stdout);
  print_first_words(options->commands);
  print_second_words(options->commands);
  for (const struct cli_command *command = options->commands; command->name; command++)
    print_options(command);
  fputs(end, stdout);
  return 0;
}
