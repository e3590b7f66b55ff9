/* Runs a program against an emulator of its own: emulated CONFIG.json pytest test/ */
#include <pubsub/emulator.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int run(char **command, unsigned port) {
  char host[32];
  int status = 0;
  snprintf(host, sizeof host, "127.0.0.1:%u", port);
  setenv("PUBSUB_EMULATOR_HOST", host, 1);
  pid_t child = fork();
  if (child == 0) _exit((execvp(command[0], command), 127));
  return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status)
                                                                               : 1;
}

int main(int argc, char **argv) {
  struct pubsub_emulator_options options = {.config = argc > 1 ? argv[1] : NULL};
  struct pubsub_emulator *emulator = NULL;
  struct pubsub_error error = {0};
  char stats[1000];
  if (argc < 3 || pubsub_emulator_start(&options, &emulator, &error) != PUBSUB_OK) {
    fprintf(stderr, "emulated: %s\n", argc < 3 ? "CONFIG.json COMMAND…" : error.text);
    return 2;
  }
  int code = run(argv + 2, pubsub_emulator_port(emulator));
  if (pubsub_emulator_control(emulator, "stats", stats, sizeof stats, &error) == PUBSUB_OK)
    fputs(stats, stderr);
  pubsub_emulator_stop(emulator);
  return code;
}
