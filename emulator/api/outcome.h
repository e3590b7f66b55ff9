/*
 * What became of each ack id of a request, as exactly-once delivery tells it. On other
 * subscriptions every id counts as good, and one that is not lent is ignored. Ids are borrowed from
 * the request.
 */
#ifndef EMULATOR_API_OUTCOME_H
#define EMULATOR_API_OUTCOME_H

#include "model/backlog.h"
#include "rpc/call.h"

struct outcome {
  /* arrays of struct pubsub_view; good: exactly-once only */
  struct pubsub_buf good, invalid, transient;
};

/* True: the message is lent, settle it. */
bool outcome_check(struct outcome *outcome, struct subscription *subscription,
                   const struct call *call, struct pubsub_view ack_id);
bool outcome_failed(const struct outcome *outcome);
/* The status of a unary call with failed ids: google.rpc.ErrorInfo, an entry per id. */
void outcome_fail(const struct outcome *outcome, struct call *call);
void outcome_clear(struct outcome *outcome);

#endif
