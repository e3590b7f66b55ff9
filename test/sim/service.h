/*
 * A model of the service on virtual time, with the calls of grpc/channel.h and grpc/unary.h in
 * front of it: lends messages on streams within their limits, lets leases end, takes
 * acknowledgements; answers late, in pieces, or with errors, as it draws. It shares no code with
 * the emulator, and watches what no client may do.
 */
#ifndef SIM_SERVICE_H
#define SIM_SERVICE_H

#include "base/bytes.h"
#include <stdbool.h>
#include <stdint.h>

struct service_faults {
  double stream_ends; /* likelihood that a stream ends with UNAVAILABLE after a response */
  /* that an acknowledgement or extension fails as a whole, and may have worked */
  double call_fails;
  double bad_id;     /* that a message has an ack id which the service itself cannot read */
  uint64_t delay_us; /* of an answer, at most */
};
struct service_counts {
  uint64_t lent, expired, acked, nacked; /* messages; lent counts each time */
  uint64_t early;                        /* acknowledged without `commit` */
  uint64_t calls, refused_calls;
};
struct service_message {
  uint64_t size;
  uint64_t due_us; /* while lent */
  struct pubsub_call *stream;
  uint32_t attempts, seen; /* times lent; times the reader has read it */
  bool lent, acked, committed, bad_id;
};

void service_start(uint32_t messages, uint64_t smallest, uint64_t largest,
                   const struct service_faults *faults);
void service_end(void);
struct pubsub_channel *service_channel(void);
const struct service_counts *service_counts(void);
struct service_message *service_message(uint64_t number); /* 1 … */
uint32_t service_message_count(void);
/* From now on nothing fails. */
void service_heal(void);
/* Messages that are lent and not settled, but for those that nobody can settle. */
uint64_t service_outstanding_rows(void);

#endif
