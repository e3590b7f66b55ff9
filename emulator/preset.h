/* What the command line asks the broker to hold. Before the loop runs. */
#ifndef EMULATOR_PRESET_H
#define EMULATOR_PRESET_H

#include "model/broker.h"

/* "projects/P/topics/T"; one that exists is left alone. Errors: INVALID (told), NOMEM. */
enum pubsub_status preset_topic(struct broker *broker, const char *name,
                                struct pubsub_error *error);
/* "SUBSCRIPTION=TOPIC", full names; the topic is created where it is missing. Errors: INVALID
 * (told), NOMEM. */
enum pubsub_status preset_subscription(struct broker *broker, const char *text,
                                       struct pubsub_error *error);
/* "PROJECT,TOPIC:SUBSCRIPTION:SUBSCRIPTION,TOPIC", short names: what the environment
 * PUBSUB_PROJECT1, 2, … of the popular images says. What exists is left alone. Errors: INVALID
 * (told), NOMEM. */
enum pubsub_status preset_project(struct broker *broker, const char *text,
                                  struct pubsub_error *error);

#endif
