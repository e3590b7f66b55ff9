/* The settings of topics and subscriptions: defaults filled in, limits checked as the service does. */
#ifndef EMULATOR_SETTINGS_H
#define EMULATOR_SETTINGS_H

#include "google/pubsub/v1/pubsub.pb-c.h"
#include "rpc.h"

/* False: the call was failed with INVALID_ARGUMENT. */
bool settings_check_subscription(struct rpc *rpc, Google__Pubsub__V1__Subscription *config);
bool settings_check_topic(struct rpc *rpc, const Google__Pubsub__V1__Topic *config);

#endif
