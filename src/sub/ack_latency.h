/*
 * How long rows are held, from their arrival until they are settled: a histogram in seconds, and
 * from it the deadline that an extension asks for. Long enough for 99 of 100 rows: one extension
 * then does for nearly all, and what a lost process held comes again soon.
 *
 * What is older than ten minutes counts half, and half again: the rule follows a workload that
 * changes. Pure: the time is an argument.
 */
#ifndef PUBSUB_SUB_ACK_LATENCY_H
#define PUBSUB_SUB_ACK_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

#define PUBSUB_ACK_LATENCY_SECONDS 600u /* the longest deadline the service takes */

struct pubsub_ack_latency {
  uint64_t rows[PUBSUB_ACK_LATENCY_SECONDS + 1]; /* by seconds held, begun ones whole */
  uint64_t total;                                /* over rows[] */
  uint64_t aged_us;                              /* when it was last halved */
};
/* Zero-initialised is empty. */
void pubsub_ack_latency_add(struct pubsub_ack_latency *latency, uint64_t held_us, uint32_t rows,
                            uint64_t now_us);
/* The deadline to ask for: the percentile (default_s while there is none), for a chunk held longer
 * than that already its age, as far as default_s; 10..600, exactly-once at least 60. */
uint32_t pubsub_ack_latency_deadline_s(const struct pubsub_ack_latency *latency, uint64_t held_us,
                                       uint32_t default_s, bool exactly_once);

#endif
