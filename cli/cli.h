/*
 * The pubsub command: what its subcommands share. It stands on the library's public headers alone.
 *
 *   main.c ─▶ option.c (what was given), help.c, man.c, completion.c (what there is)
 *      └────▶ topic.c, subscription.c, snapshot.c, publish.c, receive.c, bench.c
 *                └────▶ connect.c, report.c
 *
 * Exit codes: 0 done, 1 failed (the reason is on the standard error), 2 usage. One thread, but for
 * the library's own.
 */
#ifndef CLI_H
#define CLI_H

#include <pubsub/admin.h>
#include <pubsub/client.h>
#include <stdio.h>

#define CLI_TIMEOUT_MS 30000
#define CLI_NAME_BYTES 600
#define CLI_MAX_ATTRIBUTES 100

struct cli_command;

/* What was given. Text is borrowed from argv; NULL and 0: not given. */
struct cli_options {
  const char *project, *endpoint, *ca_file, *token_file, *credentials, *proxy;
  const char *topic, *message, *file, *ordering_key, *columns, *filter, *snapshot, *time;
  const char *attributes[CLI_MAX_ATTRIBUTES]; /* "key=value" */
  size_t attribute_count;
  unsigned long count, size, start, rate, batch_bytes, max, ack_deadline, retention, wait;
  unsigned long streams, warmup, keepalive_ms;
  bool json, text, plaintext, gzip, ordering;
  bool exactly_once, no_exactly_once, retain_acked, no_retain_acked;
  bool help, version;
  const struct cli_command *commands; /* all there are; ends with a NULL name */
};

/* A subcommand: how it is called, what it does. Static. */
struct cli_command {
  const char *name;      /* "pull", "topic create" */
  const char *arguments; /* "SUBSCRIPTION" */
  const char *summary;   /* one sentence, without a full stop */
  const char *details;   /* more lines for its help; or NULL */
  const char *options;   /* codes of its options beside the common ones */
  const char *example;   /* a line, or several */
  /* `arguments`: what is left of the command line behind the name. Returns the exit code. */
  int (*run)(const struct cli_options *options, int count, char **arguments);
};

/* connect.c: prints the reason and returns NULL on failure. */
struct pubsub_client *cli_connect(const struct cli_options *options);
/* "S" -> "projects/P/<kind>/S"; full names stay. False: told why not. */
bool cli_full_name(const struct cli_options *options, const char *kind, const char *name, char *out,
                   size_t out_bytes);
/* "projects/P". False: told why not. */
bool cli_project_name(const struct cli_options *options, char *out, size_t out_bytes);

/* report.c */
int cli_fail(const struct pubsub_error *error); /* prints its text; 1 */
int cli_usage(const char *usage);               /* prints it; 2 */
/* What was printed has left this process. False: told why not. */
bool cli_flush(void);
/* A name of a list, on a line: a pubsub_name_fn. */
bool cli_print_name(void *user, const char *name);
/* A closed pipe is an error of writing, not the end of the process. */
void cli_ignore_closed_pipes(void);
/* For commands that look whether they were interrupted (Ctrl-C, SIGTERM) and end in order; a second
 * one ends what hangs. All others end at the first. */
void cli_watch_signals(void);
bool cli_interrupted(void);

#endif
