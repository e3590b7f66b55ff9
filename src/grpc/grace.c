#include "grpc/grace.h"

#define TROUBLE_US 30000000 /* how long one may last */
#define GAP_US 60000000     /* failures that are further apart are not the same trouble */

bool pubsub_grace_allows(struct pubsub_grace *grace, uint64_t now_us) {
  if (!grace->in_trouble || now_us - grace->last_us > GAP_US) {
    grace->in_trouble = true;
    grace->since_us = now_us;
  }
  grace->last_us = now_us;
  return now_us - grace->since_us < TROUBLE_US;
}

void pubsub_grace_reset(struct pubsub_grace *grace) {
  *grace = (struct pubsub_grace){0};
}
