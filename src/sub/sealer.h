/*
 * From rows to chunks that readers see. An ordinary subscription's chunk is published as it is
 * sealed; one with exactly-once delivery waits, pending, for its receipt, and loses the rows whose
 * receipt failed. The index finds the held row of a message that comes again.
 *
 * The sealer is what all inlets of a subscriber share; an inlet is where the rows of one epoch come
 * in. Loop thread only.
 */
#ifndef PUBSUB_SUB_SEALER_H
#define PUBSUB_SUB_SEALER_H

#include "batch/builder.h"
#include "sub/held_index.h"
#include "sub/reservoir.h"
#include "sub/settler.h"

/* What responses tell of the subscription. Before the first has told, chunks are kept back. */
enum pubsub_delivery { PUBSUB_DELIVERY_UNKNOWN, PUBSUB_AT_LEAST_ONCE, PUBSUB_EXACTLY_ONCE };

struct pubsub_sealer {
  struct pubsub_reservoir *reservoir;
  struct pubsub_settler *settler;
  enum pubsub_delivery delivery;
  bool ordering;
  /* Of held rows, while delivery is not at-least-once; then of those whose lease has ended. */
  struct pubsub_held_index index;
  /* counted without the mutex, added to the metrics at every seal */
  uint64_t redelivered_rows, received_bytes;
};

struct pubsub_inlet {
  struct pubsub_sealer *sealer;
  struct pubsub_epoch *epoch;
  struct pubsub_builder *builder;
  uint64_t first_receive_us; /* of the builder's first row */
  int64_t first_receive_wall_us;
  /* will hold the builder's rows; made early where they are indexed */
  struct pubsub_held *building;
  struct pubsub_list pending; /* of struct pubsub_held.loop.pending_link, in the order of sealing */
  struct pubsub_list loose;   /* likewise: turned away, until they are settled */
  struct pubsub_subscription_properties told; /* by the response that is being read */
  uint64_t wire_bytes, largest_bytes; /* of the builder's rows, as the service counts them */
  uint64_t lent_rows, lent_bytes;     /* received and not settled, of all streams of the slot */
};
/* What was made a chunk. */
struct pubsub_sealed {
  uint32_t rows;
  uint64_t wire_bytes, largest_bytes;
  uint64_t room_bytes; /* blocks of memory that it takes */
};

/* Errors: NOMEM. */
enum pubsub_status pubsub_inlet_init(struct pubsub_inlet *inlet, struct pubsub_sealer *sealer,
                                     struct pubsub_epoch *epoch, uint32_t columns);
/* Frees rows and chunks that no reader has seen. */
void pubsub_inlet_clear(struct pubsub_inlet *inlet);

/* A message becomes the builder's next row; the first notes the time. Errors: NOMEM, LIMIT (seal
 * first). */
enum pubsub_status pubsub_inlet_append(struct pubsub_inlet *inlet,
                                       const struct pubsub_received *message, uint64_t now_us);
/* A message that is held already: its row has the newer ack id from now on. False: it makes a new
 * row. */
bool pubsub_inlet_renew(struct pubsub_inlet *inlet, const struct pubsub_received *message);
/* The builder's rows, if any, become a chunk; out (or NULL) is what was made. Errors: NOMEM: they
 * stay. */
enum pubsub_status pubsub_inlet_seal(struct pubsub_inlet *inlet, struct pubsub_sealed *out);
/* Rows of which only the ids are there go back to the service at once; the builder is empty then.
 * Errors: NOMEM. */
enum pubsub_status pubsub_inlet_give_back(struct pubsub_inlet *inlet,
                                          struct pubsub_builder *ids_only);
/* Nothing comes any more, and there was no memory to seal: the rows come again at their
 * deadline. */
void pubsub_inlet_drop_rows(struct pubsub_inlet *inlet);
/* A whole response was read: what it tells of the subscription holds. */
void pubsub_inlet_told(struct pubsub_inlet *inlet);
/* The stream is over: chunks that wait for what it would tell do so no longer; `all`: nor do those
 * that wait for receipts. */
void pubsub_inlet_publish_pending(struct pubsub_inlet *inlet, bool all);

/* of the settler: every id of a chunk has its outcome. Takes the reservoir's mutex; may free it. */
void pubsub_sealer_on_settled(struct pubsub_sealer *sealer, struct pubsub_held *held);
/* of the settler: a receipt is there */
void pubsub_sealer_on_receipt(struct pubsub_sealer *sealer, struct pubsub_held *held);
/* The rows of a chunk, or one of them, are not found by the index any more. */
void pubsub_sealer_unindex(struct pubsub_sealer *sealer, struct pubsub_held *held);
void pubsub_sealer_unindex_row(struct pubsub_sealer *sealer, struct pubsub_held *held,
                               uint32_t row);
/* The lease of this chunk has ended: its messages are counted when they come again. Remembers about
 * `most` of all. Under the mutex. */
void pubsub_sealer_expect_again(struct pubsub_sealer *sealer, const struct pubsub_chunk *chunk,
                                size_t most);

#endif
