/* The pubsub command: shared by its subcommands. Uses the public headers alone. */
#ifndef CLI_H
#define CLI_H

#include <pubsub/admin.h>
#include <pubsub/publisher.h>
#include <pubsub/subscriber.h>
#include <stdio.h>

struct cli_options {
  const char *project, *endpoint, *ca_file, *token_file, *proxy;
  const char *topic, *message, *file, *ordering_key, *columns;
  const char *attributes[100]; /* "key=value" */
  size_t attribute_count;
  unsigned long count, size, start, rate, batch_bytes, max, ack_deadline, streams, warmup,
      keepalive_ms;
  bool json, plaintext, gzip;
};

/* Exit codes: 0 done, 1 failed, 2 usage. `arguments`: what is left after the options. */
int cli_topic(const struct cli_options *options, int count, char **arguments);
int cli_subscription(const struct cli_options *options, int count, char **arguments);
int cli_publish(const struct cli_options *options, int count, char **arguments);
int cli_pull(const struct cli_options *options, int count, char **arguments);
int cli_tail(const struct cli_options *options, int count, char **arguments);
int cli_bench(const struct cli_options *options, int count, char **arguments);

/* Prints the reason and returns NULL on failure. */
struct pubsub_client *cli_connect(const struct cli_options *options);
/* "S" -> "projects/P/<kind>/S"; full names stay. False: told why not. */
bool cli_full_name(const struct cli_options *options, const char *kind, const char *name, char *out,
                   size_t out_bytes);
int cli_fail(const struct pubsub_error *error);
/* True once Ctrl-C or SIGTERM came. */
bool cli_interrupted(void);
/* Prints the rows of a chunk, read through the Arrow C Data Interface. */
int cli_print_chunk(struct pubsub_chunk *chunk, bool json, unsigned long max);

#define CLI_TIMEOUT_MS 30000

#endif
