#include "auth/token_times.h"

#define S_US 1000000u
#define EARLY_S 300u
#define SPACE_US (5u * S_US)
#define LONGEST_S (86400u * 365)

void pubsub_token_times_note(struct pubsub_token_times *times, uint64_t now_us, uint64_t lifetime_s,
                             uint64_t unauthenticated) {
  if (lifetime_s > LONGEST_S) lifetime_s = LONGEST_S;
  uint64_t after_us =
      lifetime_s >= 2 * EARLY_S ? (lifetime_s - EARLY_S) * S_US : lifetime_s * S_US / 2;
  times->fetched_us = now_us;
  times->renew_us = now_us + after_us;
  times->unauthenticated = unauthenticated;
}

bool pubsub_token_times_due(const struct pubsub_token_times *times, uint64_t now_us,
                            uint64_t unauthenticated) {
  if (now_us >= times->renew_us) return true;
  return unauthenticated > times->unauthenticated && now_us >= times->fetched_us + SPACE_US;
}
