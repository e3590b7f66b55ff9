/*
 * Which messages of a subscription are lent: a table of slots, and the ack ids that name them. An
 * ack id is opaque to clients: the subscription's serial, the slot, the serial of the delivery, in
 * hexadecimal.
 */
#ifndef EMULATOR_MODEL_LENDING_H
#define EMULATOR_MODEL_LENDING_H

#include "model/subscription.h"

#define ACK_ID_BYTES 40

/* There is room for one more lent message. False: no memory. */
bool lending_reserve(struct subscription *subscription);
/* Gives the message a slot and an ack id (after lending_reserve), and counts it against the
 * consumer. */
void lending_put(struct subscription *subscription, struct message *message,
                 struct consumer *consumer);
/* Ends the loan, its lease and its ack id. */
void lending_take_back(struct subscription *subscription, struct message *message);
/* It stays lent, counted against nobody. */
void lending_leave(struct message *message);

void lending_ack_id(const struct subscription *subscription, const struct message *message,
                    char out[ACK_ID_BYTES + 1]);
/* The lent message of an ack id. NULL: acknowledged, expired, or not ours. */
struct message *lending_find(const struct subscription *subscription, struct pubsub_view ack_id);
/* Whether an ack id could have been given out by this subscription. */
bool lending_knows(const struct subscription *subscription, struct pubsub_view ack_id);

#endif
