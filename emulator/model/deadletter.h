/* Dead letter topics: a message that was delivered too often is published again, with where it
 * came from. */
#ifndef EMULATOR_MODEL_DEADLETTER_H
#define EMULATOR_MODEL_DEADLETTER_H

#include "model/broker.h"

/* True: it was published to the dead letter topic and is to be dropped. The subscription has a
 * policy. */
bool deadletter_publish(struct broker *broker, const struct subscription *subscription,
                        const struct message *message);

#endif
