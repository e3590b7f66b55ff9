/*
 * How many messages may be on their way to an endpoint at once, and when the next may go: as the
 * service does it, slow at the start and after failures. Pure; time is an argument.
 *
 *   acknowledged: the window grows by one for each, up to PACE_MOST
 *   failed:       it halves, and nothing is sent for 100 ms, doubled by each failure in a row up to
 *                 60 s
 */
#ifndef EMULATOR_PUSH_PACE_H
#define EMULATOR_PUSH_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACE_FIRST 3
#define PACE_MOST 100

struct pace {
  size_t window;
  unsigned failures;  /* in a row */
  uint64_t resume_us; /* nothing before */
};

void pace_init(struct pace *pace);
void pace_succeeded(struct pace *pace);
/* What fails while it pauses anyway counts once: it was under way. */
void pace_failed(struct pace *pace, uint64_t now_us);
bool pace_allows(const struct pace *pace, size_t under_way, uint64_t now_us);

#endif
