/*
 * Ordering keys: a line per key, served to one consumer at a time. Called by backlog and contents
 * alone.
 *
 *   line:   ACKNOWLEDGED or LENT …, then READY … of which the first may be WAITING
 *                                   ▲ key.next
 *   lend: next moves on
 *   rewind: next moves back, all behind it are READY again, acknowledged ones too
 *   acknowledge: leaves the line's head as far as that is acknowledged
 */
#ifndef EMULATOR_MODEL_ORDERING_H
#define EMULATOR_MODEL_ORDERING_H

#include "model/subscription.h"

/* Appends a READY message to its key's line. Errors: NOMEM. */
enum pubsub_status ordering_add(struct subscription *subscription, struct message *message,
                                struct pubsub_view key);
/* The next message of a key that this consumer may have. NULL: none. */
struct message *ordering_peek(struct subscription *subscription, struct consumer *consumer);
/* The message that was peeked at is lent. */
void ordering_lend(struct subscription *subscription, struct message *message,
                   struct consumer *consumer);
/* It was taken back. */
void ordering_acknowledge(struct subscription *subscription, struct message *message);
/* Readies the message and all behind it in its line. */
void ordering_rewind(struct subscription *subscription, struct message *message);
/* Removes a message of the line, whatever its state, and frees it. */
void ordering_remove(struct subscription *subscription, struct message *message);
/* Puts the key into the list of those who may have its next message, after its state changed. */
void ordering_place(struct subscription *subscription, struct ordering_key *key);

#endif
