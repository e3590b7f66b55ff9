#include "campaign.h"

#include "board.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HANG_MS 90000
#define MAX_FAILURES 12
#define MISSES_TO_END 6 /* runs beyond the expected number in which nothing failed any more */
#define POLL_US 20000
#define PROGRESS_MS 10000
#define FEWEST_RUNS 16 /* whatever the time */

struct crew {
  const struct campaign *campaign;
  struct board *board;
  uint64_t deadline_ms; /* 0: none */
  pid_t workers[MAX_JOBS];
};

/* ---- which run comes next ---- */

static uint64_t gcd(uint64_t a, uint64_t b) {
  return b ? gcd(b, a % b) : a;
}

/* The k-th i of 1..n: each once, and any beginning of the row spread evenly over all. */
static uint64_t spread(uint64_t k, uint64_t n) {
  uint64_t stride = n * 618 / 1000 + 1;
  while (gcd(stride, n) != 1)
    stride++;
  return 1 + k % n * stride % n;
}

static enum fault_mode nth_mode(unsigned modes, uint64_t n) {
  enum fault_mode mode = FAULT_ONCE;
  for (;; mode = (enum fault_mode)((mode + 1) % FAULT_MODE_COUNT)) {
    if (!(modes & 1u << mode)) continue;
    if (n-- == 0) return mode;
  }
}

/* False: every i is done. */
static bool next_plan(struct crew *crew, struct fault_plan *out) {
  const struct campaign *campaign = crew->campaign;
  uint64_t modes = (uint64_t)__builtin_popcount(campaign->modes);
  uint64_t n = atomic_fetch_add(&crew->board->next, 1), k = n / modes;
  uint64_t calls = atomic_load(&crew->board->calls);
  *out = (struct fault_plan){
      .kind = campaign->kind, .side = campaign->side, .mode = nth_mode(campaign->modes, n % modes)};
  if (campaign->only_i) {
    out->i = campaign->only_i;
    return n < modes;
  }
  out->i = k < calls ? spread(k, calls) : k + 1;
  return k < calls || (atomic_load(&crew->board->misses) < MISSES_TO_END && k < 2 * calls + 50);
}

/* ---- a worker ---- */

static void run_one(struct crew *crew, struct desk *desk) {
  const struct scenario *scenario = crew->campaign->scenario;
  uint64_t calls;
  desk->trace.count = 0;
  atomic_store(&desk->started_ms, world_now_ms());
  unsigned complaints = scenario_run(scenario, &desk->plan, &calls);
  atomic_store(&desk->started_ms, 0);
  if (complaints) {
    atomic_fetch_add(&crew->board->failures, 1);
    board_tell_failure(scenario->name, desk, "see above");
  }
  if (fault_struck()) {
    board_count(crew->board, &desk->trace);
  } else if (desk->plan.i > atomic_load(&crew->board->calls)) {
    atomic_fetch_add(&crew->board->misses, 1);
  }
}

static void look_for_leaks(struct crew *crew, struct desk *desk) {
  if (scenario_leaks()) {
    atomic_fetch_add(&crew->board->failures, 1);
    board_tell_leak(crew->campaign->scenario->name, desk);
  }
  desk->since_count = 0;
}

static bool is_over(const struct crew *crew) {
  return atomic_load(&crew->board->failures) >= MAX_FAILURES ||
         (crew->deadline_ms && world_now_ms() >= crew->deadline_ms &&
          atomic_load(&crew->board->runs) >= FEWEST_RUNS);
}

/* What OpenSSL and the loader do once a process is not part of any run. */
static uint64_t clean_run(const struct campaign *campaign, unsigned *out_complaints) {
  struct fault_plan plan = {.kind = campaign->kind, .side = campaign->side};
  uint64_t calls;
  *out_complaints = scenario_run(campaign->scenario, &plan, &calls);
  return calls;
}

static void work(struct crew *crew, struct desk *desk) {
  unsigned complaints;
  fault_warm_up();
  fault_keep_trace(&desk->trace);
  clean_run(crew->campaign, &complaints);
  desk->since_count = 0;
  while (!is_over(crew) && next_plan(crew, &desk->plan)) {
    run_one(crew, desk);
    desk->since[desk->since_count++] = desk->plan;
    if (desk->since_count == LEAK_CHECK_RUNS) look_for_leaks(crew, desk);
  }
  look_for_leaks(crew, desk);
  _exit(0);
}

static pid_t start_worker(struct crew *crew, unsigned number) {
  struct desk *desk = &crew->board->desks[number];
  atomic_store(&desk->started_ms, 0);
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    work(crew, desk);
  }
  return pid;
}

/* ---- their parent ---- */

static void show_threads(pid_t pid) {
  char command[200];
  snprintf(
      command, sizeof command,
      "gdb -p %d -batch -ex 'thread apply all backtrace 14' 2>/dev/null | grep -E '^#|^Thread' "
      ">&2",
      (int)pid);
  if (system(command) != 0) fprintf(stderr, "    (without gdb its threads cannot be shown)\n");
}

static void watch(struct crew *crew, unsigned number) {
  struct desk *desk = &crew->board->desks[number];
  uint64_t started = atomic_load(&desk->started_ms);
  if (!started || world_now_ms() < started + HANG_MS) return;
  show_threads(crew->workers[number]);
  kill(crew->workers[number], SIGKILL);
}

/* A worker has ended. Crashed or killed ones are replaced. */
static void collect(struct crew *crew, unsigned number, int status) {
  struct desk *desk = &crew->board->desks[number];
  crew->workers[number] = 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  atomic_fetch_add(&crew->board->failures, 1);
  bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  board_tell_failure(crew->campaign->scenario->name, desk, hung ? "it hung" : "it crashed");
  if (!is_over(crew)) crew->workers[number] = start_worker(crew, number);
}

static bool any_left(const struct crew *crew) {
  for (unsigned i = 0; i < MAX_JOBS; i++) {
    if (crew->workers[i]) return true;
  }
  return false;
}

/* Long campaigns say how far they are. */
static void tell_progress(const struct crew *crew, uint64_t *next_ms) {
  if (world_now_ms() < *next_ms) return;
  *next_ms += PROGRESS_MS;
  fprintf(stderr, "  … %s: %llu of %llu runs\n", crew->campaign->scenario->name,
          (unsigned long long)atomic_load(&crew->board->runs),
          (unsigned long long)atomic_load(&crew->board->calls) *
              (unsigned)__builtin_popcount(crew->campaign->modes));
}

static void supervise(struct crew *crew) {
  uint64_t next_ms = world_now_ms() + PROGRESS_MS;
  while (any_left(crew)) {
    tell_progress(crew, &next_ms);
    for (unsigned i = 0; i < crew->campaign->jobs; i++) {
      int status;
      if (!crew->workers[i]) continue;
      watch(crew, i);
      if (waitpid(crew->workers[i], &status, WNOHANG) == crew->workers[i]) collect(crew, i, status);
    }
    nanosleep(&(struct timespec){.tv_nsec = POLL_US * 1000}, NULL);
  }
}

/* In a process of its own. False: already a clean run fails. */
static bool probe(struct crew *crew) {
  int status;
  pid_t pid = fork();
  if (pid == 0) {
    unsigned first, second;
    alarm(HANG_MS / 1000);
    clean_run(crew->campaign, &first);
    atomic_store(&crew->board->calls, clean_run(crew->campaign, &second));
    _exit(first + second == 0 ? 0 : 1);
  }
  return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void report(const struct board *board, uint64_t start, struct campaign_result *out) {
  out->calls = atomic_load(&board->calls);
  out->runs = atomic_load(&board->runs);
  out->stacks = atomic_load(&board->stacks);
  out->failures = atomic_load(&board->failures);
  out->took_ms = world_now_ms() - start;
}

void campaign_run(const struct campaign *campaign, struct campaign_result *out) {
  uint64_t start = world_now_ms();
  struct crew crew = {.campaign = campaign, .board = board_new()};
  if (campaign->budget_ms) crew.deadline_ms = start + campaign->budget_ms;
  if (!probe(&crew)) {
    fprintf(stderr, "FAILED: %s, though nothing was made to fail\n", campaign->scenario->name);
    atomic_fetch_add(&crew.board->failures, 1);
  } else if (atomic_load(&crew.board->calls) > 0) {
    for (unsigned i = 0; i < campaign->jobs; i++)
      crew.workers[i] = start_worker(&crew, i);
    supervise(&crew);
  }
  report(crew.board, start, out);
  board_free(crew.board);
}
