/*
 * A campaign: one scenario, one side, one kind of calls, in the modes asked for; for every i, or
 * for as many as fit into the time, spread evenly. Workers are processes, so that a crash or a hang
 * is one failure among others: the next worker goes on behind it.
 *
 *   probe (a clean run counts the calls) -> workers -> done
 */
#ifndef TORTURE_CAMPAIGN_H
#define TORTURE_CAMPAIGN_H

#include "scenario.h"

struct campaign {
  const struct scenario *scenario;
  enum side side;
  enum fault_kind kind;
  unsigned modes;     /* set of 1 << enum fault_mode */
  uint64_t only_i;    /* 0: every i */
  uint64_t budget_ms; /* 0: until every i is done */
  unsigned jobs;
};

struct campaign_result {
  uint64_t calls;    /* of a clean run: the largest i that is expected */
  uint64_t runs;     /* with a call that failed */
  uint64_t stacks;   /* different ones among the first calls that failed */
  uint64_t failures; /* runs that crashed, hung, leaked or complained */
  uint64_t took_ms;
};

void campaign_run(const struct campaign *campaign, struct campaign_result *out);

#endif
