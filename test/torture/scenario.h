/*
 * The scenarios by name: what happens in a world while calls fail, and what must be possible
 * afterwards.
 *
 *   set_up -> arm -> work -> disarm -> recover -> end       (mode end: work -> end -> disarm)
 */
#ifndef TORTURE_SCENARIO_H
#define TORTURE_SCENARIO_H

#include "world.h"

struct scenario {
  const char *name;
  struct world_options options;
  bool client, server; /* which side may be tortured */
  bool arm_first;      /* the emulator's start is tortured too */
  void (*set_up)(struct world *world);
  void (*work)(struct world *world, enum fault_mode mode);
  void (*recover)(struct world *world);
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;
const struct scenario *scenario_find(const char *name);

/* Runs one with a plan. Returns the number of complaints, blocks of the library that are left
 * included. *out_calls: as counted. */
unsigned scenario_run(const struct scenario *scenario, const struct fault_plan *plan,
                      uint64_t *out_calls);
/* Whether any memory of this process is out of reach, whoever got it. Takes far longer than a
 * run. */
bool scenario_leaks(void);

#endif
