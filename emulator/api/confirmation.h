/* What a stream's client is told of its acknowledgements and deadlines under exactly-once
 * delivery. */
#ifndef EMULATOR_API_CONFIRMATION_H
#define EMULATOR_API_CONFIRMATION_H

#include "api/outcome.h"

/* Appends the confirmations, as fields of a StreamingPullResponse; nothing where there is
 * nothing to tell. The ids must be NUL-terminated: fields of an unpacked request. Errors: NOMEM. */
enum pubsub_status confirmation_write(const struct outcome *acked, const struct outcome *modified,
                                      struct pubsub_buf *out);

#endif
