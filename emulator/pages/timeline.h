/* GET /ui/record: what was recorded, some events at a time, as JSON. Pure; called by front. */
#ifndef EMULATOR_PAGES_TIMELINE_H
#define EMULATOR_PAGES_TIMELINE_H

#include "model/record.h"

/* Appends {"next": N, "events": [{"timeUs", "event", "resource", "messageId", "detail"}]}: from
 * number `from` on, at most so many; of more the last ones. Errors: NOMEM. */
enum pubsub_status timeline_print(struct pubsub_buf *out, const struct record *record,
                                  uint64_t from, size_t most);

#endif
