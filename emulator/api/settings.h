/* The settings of topics and subscriptions: defaults filled in, limits checked as the service
 * does. Pure. */
#ifndef EMULATOR_API_SETTINGS_H
#define EMULATOR_API_SETTINGS_H

#include "google/pubsub/v1/pubsub.pb-c.h"
#include <pubsub/error.h>

/* Errors: INVALID (told), NOMEM. */
enum pubsub_status settings_check_subscription(Google__Pubsub__V1__Subscription *config,
                                               struct pubsub_error *error);
enum pubsub_status settings_check_push(const Google__Pubsub__V1__PushConfig *config,
                                       struct pubsub_error *error);
enum pubsub_status settings_check_topic(const Google__Pubsub__V1__Topic *config,
                                        struct pubsub_error *error);

#endif
