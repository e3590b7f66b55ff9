/* A message as it is delivered, field 1 of a response: the bytes that were published, then what
 * the service adds. No re-encoding. */
#ifndef EMULATOR_API_RECEIVED_H
#define EMULATOR_API_RECEIVED_H

#include "model/subscription.h"

size_t received_bytes(const struct subscription *subscription, const struct message *message);
/* Returns the byte after it. The message is lent. */
uint8_t *received_write(const struct subscription *subscription, const struct message *message,
                        uint8_t *out);

#endif
