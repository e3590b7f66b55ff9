/* All messages of a subscription at once: counted, taken for a seek, freed, swept when their
 * retention is over. */
#ifndef EMULATOR_MODEL_CONTENTS_H
#define EMULATOR_MODEL_CONTENTS_H

#include "model/subscription.h"

size_t contents_count(const struct subscription *subscription); /* what is not acknowledged */
/* When the oldest of them was published. INT64_MAX: there is none. */
int64_t contents_oldest_us(const struct subscription *subscription);
/* Copies of what is not acknowledged into `out`, in the order of publishing. Errors: NOMEM, with
 * some in it. */
enum pubsub_status contents_copy(const struct subscription *subscription, struct pubsub_list *out);
/* Each message once, in no order: acknowledged ones too (by their state), whether they are retained
 * or stand in a key's line. */
void contents_visit(const struct subscription *subscription,
                    void (*visit)(void *user, const struct message *message), void *user);
/* All messages, retained ones too, into `out`; nothing is lent any more, and the subscription is
 * empty after it. */
void contents_take_all(struct subscription *subscription, struct pubsub_list *out);
void contents_clear(struct subscription *subscription);
/* Drops what its retention is over for at wall_us. */
void contents_sweep(struct subscription *subscription, int64_t wall_us);

#endif
