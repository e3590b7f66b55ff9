/*
 * What happens to a message of one subscription: lent, acknowledged, redelivered. Loop thread only.
 * Called by api/ (a stream or pull lends, requests settle) and by the clock.
 *
 *   READY ── lent to a stream or pull ──▶ LENT ── acknowledged ──▶ freed, or retained
 *     ▲                                    │
 *     │                        deadline passed, nacked
 *     │                                    ▼
 *     └── backoff over ── WAITING ◀── retry policy │ dead letter: published there, dropped here
 *
 * Ordered messages stand in their key's line (ordering.h) instead of the ready list.
 */
#ifndef EMULATOR_MODEL_BACKLOG_H
#define EMULATOR_MODEL_BACKLOG_H

#include "model/lending.h"

/* Adds a message (not in any list) as READY; it must have passed the filter. Takes it in any
 * case. Errors: NOMEM. */
enum pubsub_status backlog_add(struct subscription *subscription, struct message *take_message);
/* Lends the next ready message until due_us. NULL: none for this consumer, or no memory. */
struct message *backlog_lend(struct subscription *subscription, struct consumer *consumer,
                             uint64_t due_us);
/* Takes back what was just lent, as if it had not been: it did not fit. */
void backlog_unlend(struct subscription *subscription, struct message *message);
void backlog_acknowledge(struct subscription *subscription, struct message *message);
/* seconds 0: a nack. */
void backlog_set_deadline(struct subscription *subscription, struct message *message,
                          uint32_t seconds);
/* A consumer ends: what it holds stays lent until its deadline, counted against nobody. */
void backlog_forget(struct subscription *subscription, struct consumer *consumer);
/* The same for a consumer that knows what it holds. */
void backlog_release(struct consumer *consumer, struct message *const *lent, size_t count);
/* Looks at the leases and waits that are over. */
void backlog_expire(struct subscription *subscription);

#endif
