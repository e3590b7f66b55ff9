/*
 * What the workers of a campaign and their parent share: memory that stays when a worker crashes.
 */
#ifndef TORTURE_BOARD_H
#define TORTURE_BOARD_H

#include "fault.h"

#include <stdatomic.h>

#define MAX_JOBS 16
#define STACK_SLOTS ((size_t)1 << 15)

#define LEAK_CHECK_RUNS 16 /* one look for leaks after so many */

struct desk { /* of one worker */
  struct fault_plan plan;
  struct fault_plan since[LEAK_CHECK_RUNS]; /* runs since the last look for leaks */
  unsigned since_count;
  struct fault_trace trace;
  atomic_uint_fast64_t started_ms; /* of the run that is under way; 0: none */
};

struct board {
  atomic_uint_fast64_t calls, next, misses, runs, stacks, failures;
  atomic_uint stack_hashes[STACK_SLOTS];
  struct desk desks[MAX_JOBS];
};

struct board *board_new(void); /* shared over fork; NULL: no memory */
void board_free(struct board *board);
/* A run is over in which a call failed. */
void board_count(struct board *board, const struct fault_trace *trace);
/* Says which run failed, how to repeat it, and where its first failed call was. */
void board_tell_failure(const char *scenario, const struct desk *desk, const char *how);
/* One of the runs since the last look has left memory out of reach. */
void board_tell_leak(const char *scenario, const struct desk *desk);

#endif
