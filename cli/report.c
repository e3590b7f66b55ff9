/* What is said, and when to stop: failures, a standard output that takes nothing, signals. */
#include "cli.h"
#include <errno.h>
#include <signal.h>
#include <string.h>

static volatile sig_atomic_t interrupted;

static void on_signal(int number) {
  (void)number;
  interrupted = 1;
}

void cli_ignore_closed_pipes(void) {
  struct sigaction ignore = {.sa_handler = SIG_IGN}; /* an error like others */
  sigaction(SIGPIPE, &ignore, NULL);
}

void cli_watch_signals(void) {
  struct sigaction stop = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
  sigaction(SIGINT, &stop, NULL);
  sigaction(SIGTERM, &stop, NULL);
}

bool cli_interrupted(void) {
  return interrupted != 0;
}

int cli_fail(const struct pubsub_error *error) {
  fprintf(stderr, "pubsub: %s\n", error->text);
  return 1;
}

int cli_usage(const char *usage) {
  fprintf(stderr, "usage: pubsub %s\n", usage);
  return 2;
}

bool cli_flush(void) {
  errno = 0;
  if (fflush(stdout) == 0 && !ferror(stdout)) return true;
  fprintf(stderr, "pubsub: cannot write to the standard output: %s\n",
          errno ? strerror(errno) : "an earlier write failed");
  return false;
}

bool cli_print_name(void *user, const char *name) {
  (void)user;
  puts(name);
  return !cli_interrupted() && !ferror(stdout);
}
