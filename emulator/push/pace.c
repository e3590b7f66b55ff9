#include "push/pace.h"

#define FIRST_PAUSE_US UINT64_C(100000)
#define LONGEST_PAUSE_US UINT64_C(60000000)

void pace_init(struct pace *pace) {
  *pace = (struct pace){.window = PACE_FIRST};
}

void pace_succeeded(struct pace *pace) {
  pace->failures = 0;
  if (pace->window < PACE_MOST) pace->window++;
}

void pace_failed(struct pace *pace, uint64_t now_us) {
  if (now_us < pace->resume_us) return;
  uint64_t pause = pace->failures < 10 ? FIRST_PAUSE_US << pace->failures : LONGEST_PAUSE_US;
  pace->resume_us = now_us + (pause < LONGEST_PAUSE_US ? pause : LONGEST_PAUSE_US);
  pace->failures++;
  pace->window = pace->window > 1 ? pace->window / 2 : 1;
}

bool pace_allows(const struct pace *pace, size_t under_way, uint64_t now_us) {
  return under_way < pace->window && now_us >= pace->resume_us;
}
