#include "board.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern const char __executable_start[];

struct board *board_new(void) {
  struct board *board =
      mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return board == MAP_FAILED ? NULL : board;
}

void board_free(struct board *board) {
  munmap(board, sizeof *board);
}

void board_count(struct board *board, const struct fault_trace *trace) {
  uint32_t hash = fault_trace_hash(trace);
  atomic_fetch_add(&board->runs, 1);
  for (size_t probe = 0; probe < STACK_SLOTS; probe++) {
    unsigned there = 0;
    atomic_uint *slot = &board->stack_hashes[(hash + probe) % STACK_SLOTS];
    if (atomic_compare_exchange_strong(slot, &there, hash)) {
      atomic_fetch_add(&board->stacks, 1);
      return;
    }
    if (there == hash) return;
  }
}

/* Frames 0 to 2 are the torture's own. */
static void print_stack(const struct fault_trace *trace) {
  char command[700];
  int len = snprintf(command, sizeof command, "addr2line -fpse /proc/%d/exe", (int)getpid());
  for (int i = 3; i < trace->count && len < (int)sizeof command - 30; i++)
    len += snprintf(command + len, sizeof command - (size_t)len, " 0x%lx",
                    (unsigned long)((const char *)trace->frames[i] - __executable_start) - 1);
  snprintf(command + len, sizeof command - (size_t)len, " | sed 's/^/      /' >&2");
  fprintf(stderr, "    the first call that failed was %s, in\n", trace->name);
  if (system(command) != 0) fprintf(stderr, "      (addr2line is missing)\n");
}

static void print_run(const char *scenario, const struct fault_plan *plan) {
  fprintf(stderr, "    make torture SCENARIO=%s SIDE=%s KIND=%s MODE=%s I=%llu\n", scenario,
          side_names[plan->side], fault_kind_names[plan->kind], fault_mode_names[plan->mode],
          (unsigned long long)plan->i);
}

void board_tell_leak(const char *scenario, const struct desk *desk) {
  fprintf(stderr, "FAILED: one of these leaks, as above\n");
  for (unsigned i = 0; i < desk->since_count; i++)
    print_run(scenario, &desk->since[i]);
}

void board_tell_failure(const char *scenario, const struct desk *desk, const char *how) {
  fprintf(stderr, "FAILED: %s\n", how);
  print_run(scenario, &desk->plan);
  if (desk->trace.count > 0) print_stack(&desk->trace);
}
