/* The options of the command: their table, and reading them from the command line. */
#ifndef CLI_OPTION_H
#define CLI_OPTION_H

#include "cli.h"

struct cli_option {
  const char *name; /* without its dashes */
  int code;
  const char *argument; /* what follows it: "FILE"; NULL: nothing */
  const char *help;
  bool common; /* to all commands */
};
/* Ends with a NULL name. */
extern const struct cli_option cli_option_table[];

/* Reads argv, moves what is no option to its end and returns the index of the first of that; -1:
 * told what is wrong. `given` gets the codes that were given, NUL-terminated; it has room for
 * 128. */
int cli_option_parse(int argc, char **argv, struct cli_options *out, char given[128]);
/* Whether each given option belongs to the command. False: told which does not. */
bool cli_option_check(const struct cli_command *command, const char *given);
bool cli_option_belongs(const struct cli_command *command, const struct cli_option *option);

#endif
