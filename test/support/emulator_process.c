#include "emulator_process.h"

#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t emulator;
static char endpoint[64];

static void run(const char *path, const char *port, const int out[2]) {
  dup2(out[1], 1);
  close(out[0]);
  close(out[1]);
  prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a test that fails */
  execl(path, "pubsub-emulator", "--port", port, (char *)NULL);
  _exit(127);
}

const char *emulator_start(const char *path, const char *port) {
  int out[2];
  char line[128] = {0};
  assert_int_equal(pipe(out), 0);
  emulator = fork();
  if (emulator == 0) run(path, port, out);
  close(out[1]);
  FILE *in = fdopen(out[0], "r");
  assert_non_null(fgets(line, sizeof line, in));
  fclose(in);
  assert_int_equal(sscanf(line, "pubsub-emulator listening on %63s", endpoint), 1);
  return endpoint;
}

void emulator_stop(void) {
  int status;
  kill(emulator, SIGTERM);
  waitpid(emulator, &status, 0);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

void emulator_pause(void) {
  kill(emulator, SIGSTOP);
}

void emulator_go_on(void) {
  kill(emulator, SIGCONT);
}
