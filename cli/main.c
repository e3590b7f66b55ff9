#include "cli.h"
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: pubsub COMMAND … [options]\n"
    "\n"
    "  topic create|get|delete TOPIC\n"
    "  subscription create|get|delete SUBSCRIPTION [--topic TOPIC] [--ack-deadline SECONDS]\n"
    "  publish TOPIC [--message TEXT | --file FILE | lines of the standard input]\n"
    "          [--attribute KEY=VALUE]… [--ordering-key KEY] [--count N [--size BYTES]]\n"
    "          [--start N] [--batch-bytes BYTES]   number of the first; bytes of a request\n"
    "          [--rate N]                          messages a second of those that --count makes\n"
    "          [--gzip]                            compress requests above 240 bytes\n"
    "  pull SUBSCRIPTION [--max N] [--json]     receive, print, acknowledge\n"
    "  tail SUBSCRIPTION [--json]               the same until Ctrl-C\n"
    "  bench receive SUBSCRIPTION --count N [--streams N] [--columns all|data|none]\n"
    "  bench publish TOPIC --count N --size BYTES\n"
    "\n"
    "options of all commands:\n"
    "  --project PROJECT     of short names (default: PUBSUB_PROJECT_ID, GOOGLE_CLOUD_PROJECT)\n"
    "  --endpoint HOST:PORT  default: PUBSUB_EMULATOR_HOST, without TLS; else the service\n"
    "  --plaintext           no TLS: emulators only\n"
    "  --ca-file FILE        trust these CA certificates instead of the system's\n"
    "  --proxy URL           http://user:password@host:port; default: HTTPS_PROXY and NO_PROXY\n"
    "  --keepalive-ms N      test a silent stream or connection after so long (default: 30000)\n"
    "  --access-token-file FILE   or the environment variable PUBSUB_ACCESS_TOKEN\n"
    "  --version, --help\n";

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

bool cli_interrupted(void) {
  return interrupted != 0;
}

int cli_fail(const struct pubsub_error *error) {
  fprintf(stderr, "pubsub: %s\n", error->text);
  return 1;
}

static const struct option names[] = {{"project", required_argument, NULL, 'p'},
                                      {"endpoint", required_argument, NULL, 'e'},
                                      {"plaintext", no_argument, NULL, 'P'},
                                      {"ca-file", required_argument, NULL, 'c'},
                                      {"access-token-file", required_argument, NULL, 'T'},
                                      {"proxy", required_argument, NULL, 'X'},
                                      {"keepalive-ms", required_argument, NULL, 'K'},
                                      {"topic", required_argument, NULL, 't'},
                                      {"message", required_argument, NULL, 'm'},
                                      {"file", required_argument, NULL, 'f'},
                                      {"attribute", required_argument, NULL, 'a'},
                                      {"ordering-key", required_argument, NULL, 'k'},
                                      {"count", required_argument, NULL, 'n'},
                                      {"size", required_argument, NULL, 's'},
                                      {"start", required_argument, NULL, 'b'},
                                      {"rate", required_argument, NULL, 'r'},
                                      {"batch-bytes", required_argument, NULL, 'B'},
                                      {"gzip", no_argument, NULL, 'z'},
                                      {"max", required_argument, NULL, 'x'},
                                      {"ack-deadline", required_argument, NULL, 'd'},
                                      {"streams", required_argument, NULL, 'S'},
                                      {"warmup", required_argument, NULL, 'w'},
                                      {"columns", required_argument, NULL, 'C'},
                                      {"json", no_argument, NULL, 'j'},
                                      {"version", no_argument, NULL, 'v'},
                                      {"help", no_argument, NULL, 'h'},
                                      {0}};

/* Edit distance, for the suggestion of an option's name. */
static size_t distance(const char *a, const char *b) {
  size_t row[64], len = strlen(b);
  if (len > 62) return 99;
  for (size_t j = 0; j <= len; j++)
    row[j] = j;
  for (size_t i = 1; *a; a++, i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= len; j++) {
      size_t above = row[j], best = diagonal + (*a != b[j - 1]);
      if (above + 1 < best) best = above + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      diagonal = above;
      row[j] = best;
    }
  }
  return row[len];
}

static int unknown_option(const char *given) {
  const char *best = NULL;
  size_t best_distance = 4;
  for (const struct option *option = names; given && option->name; option++) {
    size_t d = distance(given + (strncmp(given, "--", 2) == 0 ? 2 : 0), option->name);
    if (d < best_distance) {
      best_distance = d;
      best = option->name;
    }
  }
  if (best) {
    fprintf(stderr, "pubsub: unknown option '%s'; did you mean '--%s'?\n", given, best);
  } else {
    fprintf(stderr, "pubsub: unknown option, or its value is missing: '%s'\n", given ? given : "");
  }
  return 2;
}

static bool parse_number(const char *text, unsigned long *out) {
  char *end;
  *out = strtoul(text, &end, 10);
  if (*text >= '0' && *text <= '9' && *end == '\0') return true;
  fprintf(stderr, "pubsub: '%s' is not a number\n", text);
  return false;
}

static bool take_option(struct cli_options *options, int option) {
  switch (option) {
  case 'p':
    options->project = optarg;
    return true;
  case 'e':
    options->endpoint = optarg;
    return true;
  case 'P':
    options->plaintext = true;
    return true;
  case 'c':
    options->ca_file = optarg;
    return true;
  case 'X':
    options->proxy = optarg;
    return true;
  case 'K':
    return parse_number(optarg, &options->keepalive_ms);
  case 'T':
    options->token_file = optarg;
    return true;
  case 't':
    options->topic = optarg;
    return true;
  case 'm':
    options->message = optarg;
    return true;
  case 'f':
    options->file = optarg;
    return true;
  case 'k':
    options->ordering_key = optarg;
    return true;
  case 'C':
    options->columns = optarg;
    return true;
  case 'j':
    options->json = true;
    return true;
  case 'z':
    options->gzip = true;
    return true;
  case 'n':
    return parse_number(optarg, &options->count);
  case 's':
    return parse_number(optarg, &options->size);
  case 'b':
    return parse_number(optarg, &options->start);
  case 'r':
    return parse_number(optarg, &options->rate);
  case 'B':
    return parse_number(optarg, &options->batch_bytes);
  case 'x':
    return parse_number(optarg, &options->max);
  case 'd':
    return parse_number(optarg, &options->ack_deadline);
  case 'S':
    return parse_number(optarg, &options->streams);
  case 'w':
    return parse_number(optarg, &options->warmup);
  case 'a':
    if (strchr(optarg, '=') && options->attribute_count < 100) {
      options->attributes[options->attribute_count++] = optarg;
      return true;
    }
    fprintf(stderr, "pubsub: --attribute wants KEY=VALUE, at most 100 times\n");
    return false;
  default:
    return false;
  }
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    int (*run)(const struct cli_options *options, int count, char **arguments);
  } commands[] = {{"topic", cli_topic},     {"subscription", cli_subscription},
                  {"publish", cli_publish}, {"pull", cli_pull},
                  {"tail", cli_tail},       {"bench", cli_bench}};
  struct cli_options options = {0};
  struct sigaction action = {.sa_handler = on_signal, /* what hangs, a second one ends */
                             .sa_flags = (int)SA_RESETHAND};
  int option;
  opterr = 0;
  while ((option = getopt_long(argc, argv, "h", names, NULL)) != -1) {
    if (option == 'h') {
      fputs(usage, stdout);
      return 0;
    }
    if (option == 'v') {
      printf("pubsub %s\n", pubsub_version());
      return 0;
    }
    if (option == '?') return unknown_option(argv[optind - 1]);
    if (!take_option(&options, option)) return 2;
  }
  sigaction(SIGINT, &action, NULL);
  sigaction(SIGTERM, &action, NULL);
  for (size_t i = 0; optind < argc && i < sizeof commands / sizeof *commands; i++) {
    if (strcmp(argv[optind], commands[i].name) == 0) {
      return commands[i].run(&options, argc - optind - 1, argv + optind + 1);
    }
  }
  fputs(usage, stderr);
  return 2;
}
