/* A chunk without some of its rows. The rare path of receipts that failed: it copies. */
#ifndef PUBSUB_BATCH_DROP_ROWS_H
#define PUBSUB_BATCH_DROP_ROWS_H

#include "batch/builder.h"

/* A new chunk and ack ids of the rows i whose drop[i] is 0, in their order; at least one is left.
 * The old ones stay as they are. Errors: NOMEM. */
enum pubsub_status pubsub_chunk_drop_rows(const struct pubsub_chunk *chunk,
                                          const struct pubsub_ack_ids *ids, const uint8_t *drop,
                                          struct pubsub_chunk **out,
                                          struct pubsub_ack_ids *out_ids);

#endif
