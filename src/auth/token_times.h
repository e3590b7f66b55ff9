/* When an access token is renewed. Pure: it is told the time. Times are monotonic µs. */
#ifndef PUBSUB_AUTH_TOKEN_TIMES_H
#define PUBSUB_AUTH_TOKEN_TIMES_H

#include <stdbool.h>
#include <stdint.h>

struct pubsub_token_times {
  uint64_t fetched_us;      /* when the token came */
  uint64_t renew_us;        /* when the next one is asked for */
  uint64_t unauthenticated; /* answers of the service so far, as last seen */
};

/* A token came that lives for so long: the next is asked for five minutes before its end, or after
 * half of a short life. */
void pubsub_token_times_note(struct pubsub_token_times *times, uint64_t now_us, uint64_t lifetime_s,
                             uint64_t unauthenticated);
/* Whether to ask now: it is time, or the service has refused a call since the token came; then not
 * more often than every five seconds, as a new token may not help either. */
bool pubsub_token_times_due(const struct pubsub_token_times *times, uint64_t now_us,
                            uint64_t unauthenticated);

#endif
