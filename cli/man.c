/* The man page, from the same tables as the help: `pubsub man > pubsub.1`. */
#include "help.h"
#include "option.h"

/* roff takes a dot or an apostrophe that begins a line, and a backslash anywhere, for its own. */
static void print_text(const char *text) {
  bool begins = true;
  for (; *text; text++) {
    if (begins && (*text == '.' || *text == '\'')) fputs("\\&", stdout);
    if (*text == '\\')
      fputs("\\e", stdout);
    else if (*text == '-')
      fputs("\\-", stdout);
    else
      putchar(*text);
    begins = *text == '\n';
  }
}

static void print_option(const struct cli_option *option) {
  printf(".TP\n.B ");
  print_text("--");
  print_text(option->name);
  if (option->argument) printf(" \\fI%s\\fR", option->argument);
  printf("\n");
  print_text(option->help);
  printf("\n");
}

static void print_command(const struct cli_command *command) {
  printf(".SS pubsub %s \\fI%s\\fR\n", command->name, command->arguments);
  print_text(command->summary);
  printf(".\n");
  if (command->details) print_text(command->details);
  if (command->details) printf("\n");
  for (const struct cli_option *option = cli_option_table; option->name; option++) {
    if (!option->common && cli_option_belongs(command, option)) print_option(option);
  }
  printf(".PP\nExample:\n.PP\n.nf\n.RS\n");
  print_text(command->example);
  printf("\n.RE\n.fi\n");
}

int cli_man(const struct cli_options *options, int count, char **arguments) {
  (void)arguments;
  if (count != 0) return cli_usage("man > pubsub.1");
  printf(".TH PUBSUB 1 \"\" \"pubsub %s\" \"User Commands\"\n", pubsub_version());
  printf(".SH NAME\npubsub \\- publish, receive and administer on Google Cloud Pub/Sub\n");
  printf(".SH SYNOPSIS\n.B pubsub\n.I COMMAND\n\\&... [options]\n.SH COMMANDS\n");
  for (const struct cli_command *command = options->commands; command->name; command++)
    print_command(command);
  printf(".SH OPTIONS OF ALL COMMANDS\n");
  for (const struct cli_option *option = cli_option_table; option->name; option++) {
    if (option->common) print_option(option);
  }
  printf(".SH EXIT STATUS\n0: done. 1: failed; the reason is on the standard error. 2: usage.\n");
  return 0;
}
