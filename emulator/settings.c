#include "settings.h"

#include "backlog.h"
#include <stdlib.h>

#define MINUTE INT64_C(60000000)
#define DAY (1440 * MINUTE)

/* Generated code frees with the system's allocator. False: no memory. */
static bool default_duration(Google__Protobuf__Duration **field, int64_t seconds) {
  if (*field) return true;
  *field = malloc(sizeof **field);
  if (!*field) return false;
  google__protobuf__duration__init(*field);
  (*field)->seconds = seconds;
  return true;
}

static bool invalid(struct rpc *rpc, const char *what, const char *range) {
  rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "Invalid %s given. Must be between %s.", what, range);
  return false;
}

static bool within(const Google__Protobuf__Duration *duration, int64_t least, int64_t most) {
  int64_t us = times_duration_us(duration, least);
  return us >= least && us <= most;
}

static bool check_dead_letter(struct rpc *rpc, Google__Pubsub__V1__DeadLetterPolicy *policy) {
  if (!policy) return true;
  if (policy->max_delivery_attempts == 0) policy->max_delivery_attempts = 5;
  if (policy->max_delivery_attempts < 5 || policy->max_delivery_attempts > 100) {
    return invalid(rpc, "max_delivery_attempts", "5 and 100");
  }
  if (policy->dead_letter_topic[0] == '\0') {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "The dead letter topic must be given.");
    return false;
  }
  return true;
}

static bool check_retry(struct rpc *rpc, Google__Pubsub__V1__RetryPolicy *policy) {
  if (!policy) return true;
  if (!default_duration(&policy->minimum_backoff, 10) ||
      !default_duration(&policy->maximum_backoff, 600)) {
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    return false;
  }
  if (!within(policy->minimum_backoff, 0, 10 * MINUTE) ||
      !within(policy->maximum_backoff, 0, 10 * MINUTE)) {
    return invalid(rpc, "retry backoff", "0 and 600 seconds");
  }
  if (times_duration_us(policy->minimum_backoff, 0) >
      times_duration_us(policy->maximum_backoff, 0)) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
             "The minimum retry backoff must not exceed the maximum.");
    return false;
  }
  return true;
}

static bool check_filter(struct rpc *rpc, const char *text) {
  const char *problem;
  if (strlen(text) > 256) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "A filter has at most 256 bytes.");
    return false;
  }
  filter_free(filter_parse(text, &problem));
  if (problem) rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "Invalid filter: %s.", problem);
  return problem == NULL;
}

bool settings_check_subscription(struct rpc *rpc, Google__Pubsub__V1__Subscription *config) {
  if (config->ack_deadline_seconds == 0) config->ack_deadline_seconds = 10;
  if (config->ack_deadline_seconds < 10 || config->ack_deadline_seconds > 600) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT,
             "Invalid ack deadline given: %d. Must be between 10 and 600 seconds.",
             config->ack_deadline_seconds);
    return false;
  }
  if (!default_duration(&config->message_retention_duration, 7 * 86400)) {
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    return false;
  }
  if (!within(config->message_retention_duration, 10 * MINUTE, 31 * DAY)) {
    return invalid(rpc, "message_retention_duration", "10 minutes and 31 days");
  }
  if (config->expiration_policy && config->expiration_policy->ttl &&
      !within(config->expiration_policy->ttl, DAY, 366 * 100 * DAY)) {
    return invalid(rpc, "expiration ttl", "1 day and forever");
  }
  return check_dead_letter(rpc, config->dead_letter_policy) &&
         check_retry(rpc, config->retry_policy) && check_filter(rpc, config->filter);
}

bool settings_check_topic(struct rpc *rpc, const Google__Pubsub__V1__Topic *config) {
  if (config->message_retention_duration &&
      !within(config->message_retention_duration, 10 * MINUTE, 31 * DAY)) {
    return invalid(rpc, "message_retention_duration", "10 minutes and 31 days");
  }
  return true;
}
