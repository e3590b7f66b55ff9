/* pubsub-emulator: options, signals, one line when ready. */
#include "base/container.h"
#include "base/error.h"
#include "faults/faults.h"
#include "server.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define EVERY_ADDRESS "0.0.0.0"

static const char usage[] =
    "usage: pubsub-emulator [--port PORT | --listen ADDRESS:PORT] [options]\n"
    "\n"
    "A server of the Google Cloud Pub/Sub API for PUBSUB_EMULATOR_HOST.\n"
    "\n"
    "  --port PORT            listen on 127.0.0.1:PORT (default 8085; 0: any free port)\n"
    "  --listen ADDRESS:PORT  listen there instead; \":PORT\" is every address of this host\n"
    "  --host-port ADDRESS:PORT, --project NAME\n"
    "                         as Google's emulator is started: the first is --listen, the second\n"
    "                         changes nothing, as every project is served\n"
    "  --tls-cert FILE        serve TLS with this certificate chain (PEM)\n"
    "  --tls-key FILE         … and its key (PEM)\n"
    "  --require-token FILE|VALUE  refuse calls without this access token\n"
    "  --topic NAME           create projects/P/topics/T at the start; may be repeated\n"
    "  --subscription NAME=TOPIC  … and a subscription of it, with its topic\n"
    "  --config FILE          … and what a JSON file says: docs/emulator.md\n"
    "  --data-dir DIR         keep everything there, so that it is there after a restart\n"
    "  --sync always|interval  wait for the disk before every answer (default), or once a second\n"
    "  --push-anywhere        push to endpoints of other hosts too, not only of this one\n"
    "  --record               record every publish, delivery, extension, acknowledgement\n"
    "  --fault \"METHOD KIND[=VALUE] [probability=P] [count=N] [after=N]\"\n"
    "                         misbehave: docs/emulator.md; may be repeated\n"
    "  --seed N               of the faults' probabilities (default 1)\n"
    "  --version, --help\n";

struct program {
  struct pubsub_loop *loop;
  struct pubsub_io signals;
  struct server *server;
  int argc; /* the command line, for a reset */
  char **argv;
  const struct option *names;
};

static void on_signal(struct pubsub_io *io, unsigned events) {
  struct program *program = PUBSUB_CONTAINER_OF(io, struct program, signals);
  (void)events;
  pubsub_loop_stop(program->loop);
}

static void watch_signals(struct program *program) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigprocmask(SIG_BLOCK, &set, NULL);
  program->signals =
      (struct pubsub_io){.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), .run = on_signal};
  pubsub_loop_io_add(program->loop, &program->signals, PUBSUB_IO_READ, NULL);
}

/* Thousands of connections need as many descriptors. */
static void raise_descriptor_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

/* PUBSUB_PROJECT1, PUBSUB_PROJECT2, … as far as they go. */
static enum pubsub_status furnish_projects(struct server *server, struct pubsub_error *error) {
  enum pubsub_status status = PUBSUB_OK;
  char name[32];
  const char *text;
  for (int i = 1; status == PUBSUB_OK; i++) {
    snprintf(name, sizeof name, "PUBSUB_PROJECT%d", i);
    if (!(text = getenv(name))) break;
    status = server_add_project(server, text, error);
  }
  return status;
}

/* The options that say what the server is to hold. */
static enum pubsub_status furnish(struct server *server, int argc, char **argv,
                                  const struct option *names, struct pubsub_error *error) {
  enum pubsub_status status = PUBSUB_OK;
  int option;
  optind = 1;
  while (status == PUBSUB_OK && (option = getopt_long(argc, argv, "", names, NULL)) != -1) {
    if (option == 't') status = server_add_topic(server, optarg, error);
    if (option == 's') status = server_add_subscription(server, optarg, error);
    if (option == 'f') status = server_add_fault(server, optarg, error);
    if (option == 'C') status = server_add_config(server, optarg, error);
  }
  return status == PUBSUB_OK ? furnish_projects(server, error) : status;
}

static bool on_reset(void *user, struct pubsub_error *error) {
  struct program *program = user;
  return furnish(program->server, program->argc, program->argv, program->names, error) == PUBSUB_OK;
}

static bool parse_port(const char *text, uint16_t *out) {
  char *end;
  unsigned long port = strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0' || port > 65535) return false;
  *out = (uint16_t)port;
  return true;
}

static bool parse_listen(char *text, struct server_options *options) {
  char *colon = strrchr(text, ':');
  if (*text != '[' && strchr(text, ':') != colon) { /* IPv6 without a port */
    options->address = text;
    return true;
  }
  if (!colon || !parse_port(colon + 1, &options->port)) return false;
  *colon = '\0';
  if (*text == '[' && colon[-1] == ']') {
    colon[-1] = '\0';
    text++;
  }
  if (*text == '\0') text = EVERY_ADDRESS;
  options->address = strcmp(text, "localhost") == 0 ? "127.0.0.1" : text;
  return true;
}

static bool parse_sync(const char *text, struct server_options *options) {
  options->sync_interval = strcmp(text, "interval") == 0;
  return options->sync_interval || strcmp(text, "always") == 0;
}

static bool is_loopback(const char *address) {
  return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0;
}

/* What a developer who copies a command line may not know. */
static void warn_of_other_hosts(const struct server_options *options) {
  if (is_loopback(options->address)) return;
  fprintf(stderr,
          "pubsub-emulator: warning: other hosts can reach it on %s%s; listen on 127.0.0.1 where "
          "that is not wanted\n",
          options->address, options->require_token ? "" : ", and nobody is asked for a token");
}

int main(int argc, char **argv) {
  static const struct option names[] = {{"port", required_argument, NULL, 'p'},
                                        {"listen", required_argument, NULL, 'l'},
                                        {"host-port", required_argument, NULL, 'l'},
                                        {"project", required_argument, NULL, 'P'},
                                        {"tls-cert", required_argument, NULL, 'c'},
                                        {"tls-key", required_argument, NULL, 'k'},
                                        {"topic", required_argument, NULL, 't'},
                                        {"subscription", required_argument, NULL, 's'},
                                        {"config", required_argument, NULL, 'C'},
                                        {"data-dir", required_argument, NULL, 'd'},
                                        {"push-anywhere", no_argument, NULL, 'Y'},
                                        {"sync", required_argument, NULL, 'y'},
                                        {"require-token", required_argument, NULL, 'a'},
                                        {"record", no_argument, NULL, 'r'},
                                        {"fault", required_argument, NULL, 'f'},
                                        {"seed", required_argument, NULL, 'S'},
                                        {"version", no_argument, NULL, 'v'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};
  struct server_options options = {.address = "127.0.0.1", .port = 8085, .seed = 1};
  int option;
  while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
    bool good = true;
    switch (option) {
    case 'p':
      good = parse_port(optarg, &options.port);
      break;
    case 'l':
      good = parse_listen(optarg, &options);
      break;
    case 'c':
      options.tls_certificate = optarg;
      break;
    case 'k':
      options.tls_key = optarg;
      break;
    case 'a':
      options.require_token = optarg;
      break;
    case 'd':
      options.data_dir = optarg;
      break;
    case 'Y':
      options.push_anywhere = true;
      break;
    case 'y':
      good = parse_sync(optarg, &options);
      break;
    case 'r':
      options.record = true;
      break;
    case 'S':
      good = faults_parse_seed(optarg, &options.seed);
      break;
    case 't':
    case 'C':
    case 's':
    case 'f':
      break; /* below, when there is a server */
    case 'P':
      break; /* every project is served */
    case 'v':
      puts("pubsub-emulator " PUBSUB_VERSION_STRING);
      return 0;
    case 'h':
      fputs(usage, stdout);
      return 0;
    default:
      fputs(usage, stderr);
      return 2;
    }
    if (!good) {
      fprintf(stderr, "pubsub-emulator: '%s' is not acceptable\n", optarg);
      return 2;
    }
  }
  if (optind < argc || !options.tls_certificate != !options.tls_key) {
    fputs(usage, stderr);
    return 2;
  }

  struct program program = {.argc = argc, .argv = argv, .names = names};
  struct server *server = NULL;
  struct pubsub_error error = {0};
  raise_descriptor_limit();
  signal(SIGXFSZ, SIG_IGN); /* a limit of file sizes is an error of the call that reaches it */
  enum pubsub_status status = pubsub_loop_new(&program.loop, &error);
  if (status == PUBSUB_OK) {
    watch_signals(&program);
    status = server_new(program.loop, &options, &server, &error);
  }
  if (status == PUBSUB_OK) status = furnish(server, argc, argv, names, &error);
  if (status == PUBSUB_OK) status = server_commit(server, &error);
  if (status == PUBSUB_OK) {
    program.server = server;
    server_on_reset(server, on_reset, &program);
    bool v6 = strchr(options.address, ':') != NULL;
    printf(v6 ? "pubsub-emulator listening on [%s]:%u\n" : "pubsub-emulator listening on %s:%u\n",
           options.address, server_port(server));
    fflush(stdout);
    warn_of_other_hosts(&options);
    if (server_notice(server)[0]) fprintf(stderr, "pubsub-emulator: %s\n", server_notice(server));
    pubsub_loop_run(program.loop);
    if (server_failed(server, &error)) status = PUBSUB_E_IO;
  }
  if (status != PUBSUB_OK) {
    fprintf(stderr, "pubsub-emulator: %s\n", error.text);
  }
  server_destroy(server);
  if (program.loop) {
    pubsub_loop_io_remove(program.loop, &program.signals);
    close(program.signals.fd);
    pubsub_loop_destroy(program.loop);
  }
  return status == PUBSUB_OK ? 0 : 1;
}
