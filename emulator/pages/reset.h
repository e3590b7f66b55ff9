/* POST /v1/reset: back to how the process was started; what the command line asked for is made
 * again by who holds it (front). Called by front. */
#ifndef EMULATOR_PAGES_RESET_H
#define EMULATOR_PAGES_RESET_H

#include "model/broker.h"

/* Ends all consumers and deletes topics, subscriptions, snapshots, schemas, policies, faults and
 * the record. The virtual clock stays where it is, and so does the token. */
void reset_all(struct broker *broker);

#endif
