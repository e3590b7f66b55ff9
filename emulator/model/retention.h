/* What becomes of a message that a subscription is done with: kept for a seek, or freed. */
#ifndef EMULATOR_MODEL_RETENTION_H
#define EMULATOR_MODEL_RETENTION_H

#include "model/subscription.h"

/* The message is in no list, and not lent. */
void retention_retire(struct subscription *subscription, struct message *message);
/* What was published before is not kept any longer. */
int64_t retention_begins_us(const struct subscription *subscription, int64_t wall_us);

#endif
