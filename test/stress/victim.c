#include "victim.h"

#include "raw_call.h"
#include "request_text.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMAND_MS 5000

static void pause_ms(long ms) {
  nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static void execute(const struct victim *victim, const char *port, const int out[2]) {
  const char *arguments[16] = {"pubsub-emulator", "--port", port, "--subscription",
                               SUBSCRIPTION "=" TOPIC};
  if (victim->tls) {
    const char *tls[] = {"--tls-cert", victim->certificate, "--tls-key", victim->key};
    memcpy(arguments + 5, tls, sizeof tls);
  }
  dup2(out[1], 1);
  close(out[0]);
  close(out[1]);
  execv(PUBSUB_EMULATOR_PATH, (char *const *)(uintptr_t)arguments);
  _exit(127);
}

static bool spawn(struct victim *victim, const char *port) {
  int out[2];
  char line[128] = {0};
  if (pipe(out) != 0) return false;
  victim->pid = fork();
  if (victim->pid == 0) execute(victim, port, out);
  close(out[1]);
  FILE *in = fdopen(out[0], "r");
  bool ready = fgets(line, sizeof line, in) &&
               sscanf(line, "pubsub-emulator listening on %63s", victim->endpoint) == 1;
  fclose(in);
  if (!ready) waitpid(victim->pid, NULL, 0);
  return ready;
}

static void command(const struct victim *victim, const char *text) {
  struct raw_answer answer;
  raw_command((struct raw_peer){victim->endpoint, victim->tls}, text, COMMAND_MS, &answer);
}

static void make_exactly_once(const struct victim *victim) {
  struct raw_answer answer;
  uint8_t request[200];
  size_t len = request_encode("1=" EXACTLY_ONCE " 2=" TOPIC " 5#10 16#1", request, sizeof request);
  raw_call((struct raw_peer){victim->endpoint, victim->tls},
           "/google.pubsub.v1.Subscriber/CreateSubscription", request, len, 5000, &answer);
}

/* The port may take a moment to be free. */
static bool respawn(struct victim *victim) {
  char port[8];
  snprintf(port, sizeof port, "%s", strrchr(victim->endpoint, ':') + 1);
  for (int tries = 0; tries < 50; tries++) {
    if (spawn(victim, port)) {
      make_exactly_once(victim);
      return true;
    }
    pause_ms(100);
  }
  victim->pid = 0;
  return false;
}

bool victim_start(struct victim *victim) {
  if (!spawn(victim, "0")) return false;
  make_exactly_once(victim);
  return true;
}

/* ---- what is done to it ---- */

static void kill_it(struct victim *victim, struct chance *chance) {
  kill(victim->pid, one_in(chance, 2) ? SIGKILL : SIGTERM);
  waitpid(victim->pid, NULL, 0);
  pause_ms(chance_below(chance, 300));
  respawn(victim);
}

static void freeze_it(struct victim *victim, struct chance *chance) {
  kill(victim->pid, SIGSTOP);
  pause_ms(chance_below(chance, 1500));
  kill(victim->pid, SIGCONT);
}

static const char *const faults[] = {
    "fault * status=UNAVAILABLE probability=0.3",
    "fault Publish status=INTERNAL probability=0.5",
    "fault Publish status=INVALID_ARGUMENT count=1",
    "fault Publish latency=100ms probability=0.5",
    "fault Publish stall probability=0.1",
    "fault StreamingPull status=ABORTED probability=0.5",
    "fault StreamingPull status=PERMISSION_DENIED count=1",
    "fault StreamingPull lifetime=50ms",
    "fault StreamingPull duplicate probability=0.3",
    "fault StreamingPull expire=20ms probability=0.3",
    "fault StreamingPull late-headers",
    "fault StreamingPull silent",
    "fault StreamingPull reset probability=0.3",
    "fault Acknowledge status=UNAVAILABLE probability=0.5",
    "fault Acknowledge transient-acks probability=0.5",
    "fault Acknowledge drop-acks probability=0.5",
    "fault Acknowledge stall probability=0.2",
    "fault ModifyAckDeadline status=DEADLINE_EXCEEDED probability=0.5",
    "fault ModifyAckDeadline transient-acks probability=0.5",
    "fault * reset probability=0.05",
    "fault * goaway probability=0.05",
    "fault * disconnect probability=0.02",
    "fault GetTopic latency=200ms",
};
static const char *const commands[] = {
    "disconnect", "goaway", "end-streams", "advance 20s", "end-streams NOT_FOUND", "advance 11m"};

static bool has_ended(struct victim *victim) {
  if (!victim->pid || waitpid(victim->pid, NULL, WNOHANG) != victim->pid) return false;
  victim->pid = 0;
  return true;
}

bool victim_sabotage(struct victim *victim, struct chance *chance) {
  bool ended = has_ended(victim);
  if (!victim->pid && !respawn(victim)) return !ended;
  switch (chance_below(chance, 12)) {
  case 0:
    kill_it(victim, chance);
    break;
  case 1:
    freeze_it(victim, chance);
    break;
  case 2:
  case 3:
  case 4:
    command(victim, commands[chance_below(chance, sizeof commands / sizeof *commands)]);
    break;
  case 5:
  case 6:
  case 7:
    command(victim, "faults clear");
    break;
  default:
    command(victim, faults[chance_below(chance, sizeof faults / sizeof *faults)]);
  }
  return !ended;
}

void victim_heal(struct victim *victim) {
  if (!victim->pid) respawn(victim);
  command(victim, "faults clear");
}

bool victim_stop(struct victim *victim) {
  int status;
  if (!victim->pid) return true;
  kill(victim->pid, SIGTERM);
  waitpid(victim->pid, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
