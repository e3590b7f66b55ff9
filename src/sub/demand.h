/*
 * How much the service is asked for. What it has lent must be leased, held and settled: so no more
 * than memory holds at the sizes that messages have, and no more than the next few batches eat
 * before their leases end. Limits can only be told when a stream is opened, and the service passes
 * them by one message at most: both is planned for.
 *
 *   memory of a row  = a fixed part + a part per byte. Both limits, of rows and of bytes, are set
 *                      for the mean size seen; whatever the sizes turn out to be, one of them then
 *                      holds memory below what is usable.
 *   a batch eats     what the reader's trigger limits say; without any, all there is. Its rows must
 *                      be settled before the longest lease ends, so what is held is kept below what
 *                      half of that time has been enough for.
 *
 * Pure: times are µs on the caller's clock. sub/flow.c opens, ends and opens streams again
 * accordingly.
 */
#ifndef PUBSUB_SUB_DEMAND_H
#define PUBSUB_SUB_DEMAND_H

#include <stdbool.h>
#include <stdint.h>

#define PUBSUB_DEMAND_LARGEST_MESSAGE 10000000u /* the service takes none that is larger */

/* What is seen of messages. Zero-initialised: nothing yet. */
struct pubsub_demand_sizes {
  /* sums, halved now and then; room: blocks of memory they take */
  uint64_t rows, wire_bytes, room_bytes;
  uint64_t seen_rows;           /* ever */
  uint64_t first_us, turned_us; /* when the first came, and when `largest` was last turned */
  uint64_t largest[2];          /* wire bytes of a message: of this while, of the one before */
};
/* Messages arrived, or the head of one (rows 0: it is counted when it is whole); the largest has so
 * many bytes. */
void pubsub_demand_message(struct pubsub_demand_sizes *sizes, uint64_t wire_bytes, uint32_t rows,
                           uint64_t now_us);
/* A chunk was sealed. */
void pubsub_demand_chunk(struct pubsub_demand_sizes *sizes, uint32_t rows, uint64_t wire_bytes,
                         uint64_t room_bytes);
/* The largest message to be expected. */
uint64_t pubsub_demand_largest(const struct pubsub_demand_sizes *sizes, uint64_t now_us);

/* How fast rows are eaten. Zero-initialised: nobody has eaten yet. */
struct pubsub_demand_pace {
  uint64_t batch_us;   /* between two batches, a mean; 0: not known */
  uint64_t last_us;    /* of the last batch */
  uint64_t reach_rows; /* no more than this is settled in time; 0: no bound has shown */
};
/* Rows were asked settled: the oldest had been held for oldest_us, and so many rows had been held
 * in all. */
void pubsub_demand_eaten(struct pubsub_demand_pace *pace, uint64_t oldest_us, uint64_t held_rows,
                         uint64_t max_extension_us, uint64_t now_us);

struct pubsub_demand_input {
  uint64_t budget_bytes;
  uint32_t slots;                       /* that would receive */
  uint64_t trigger_rows, trigger_bytes; /* what a batch takes of this reader at most; 0: no limit */
  uint64_t max_extension_us;
  uint64_t max_rows, max_bytes; /* of a slot, as the caller allows */
  const struct pubsub_demand_sizes *sizes;
  const struct pubsub_demand_pace *pace;
};
struct pubsub_demand {
  uint32_t active;      /* so many slots receive, the others rest */
  uint64_t rows, bytes; /* limits of each of them, for its stream; at least 1 */
};
struct pubsub_demand pubsub_demand_plan(const struct pubsub_demand_input *in, uint64_t now_us);

enum pubsub_demand_action {
  PUBSUB_DEMAND_KEEP,
  PUBSUB_DEMAND_REOPEN, /* with other limits, once what is under way is taken */
  PUBSUB_DEMAND_REST,   /* without */
};
struct pubsub_demand_stream {
  bool active;                  /* it is to receive */
  bool rows_bound, bytes_bound; /* it has come to that limit since it was opened */
  uint64_t rows, bytes;         /* its limits */
  uint64_t opened_us;
};
/* What becomes of an open stream. A change of limits is worth a new stream where they are too
 * large, or half of what may be. */
enum pubsub_demand_action pubsub_demand_review(const struct pubsub_demand_stream *stream,
                                               const struct pubsub_demand *plan, uint64_t now_us);
/* The limits of a stream that is opened while a slot holds rows of an earlier one, which the
 * service does not count any more. False: it holds so much that it is better to wait. */
bool pubsub_demand_open(const struct pubsub_demand *plan, uint64_t held_rows, uint64_t held_bytes,
                        uint64_t *out_rows, uint64_t *out_bytes);

#endif
