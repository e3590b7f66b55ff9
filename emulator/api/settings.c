#include "api/settings.h"

#include "api/names.h"
#include "base/error.h"
#include "model/filter.h"
#include "model/times.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MINUTE INT64_C(60000000)
#define DAY (1440 * MINUTE)

/* Generated code frees with the system's allocator. */
static enum pubsub_status default_duration(Google__Protobuf__Duration **field, int64_t seconds,
                                           struct pubsub_error *error) {
  if (*field) return PUBSUB_OK;
  *field = malloc(sizeof **field);
  if (!*field) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  google__protobuf__duration__init(*field);
  (*field)->seconds = seconds;
  return PUBSUB_OK;
}

static enum pubsub_status out_of(struct pubsub_error *error, const char *what, const char *range) {
  return pubsub_error_set(error, PUBSUB_E_INVALID, "Invalid %s given. Must be between %s.", what,
                          range);
}

static bool within(const Google__Protobuf__Duration *duration, int64_t least, int64_t most) {
  int64_t us = times_duration_us(duration, least);
  return us >= least && us <= most;
}

static enum pubsub_status check_dead_letter(Google__Pubsub__V1__DeadLetterPolicy *policy,
                                            struct pubsub_error *error) {
  if (!policy) return PUBSUB_OK;
  if (policy->max_delivery_attempts == 0) policy->max_delivery_attempts = 5;
  if (policy->max_delivery_attempts < 5 || policy->max_delivery_attempts > 100) {
    return out_of(error, "max_delivery_attempts", "5 and 100");
  }
  const char *problem = name_problem(policy->dead_letter_topic, "topics");
  if (problem) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "Invalid dead letter topic: (name=%.300s): %s.",
                            policy->dead_letter_topic, problem);
  }
  return PUBSUB_OK;
}

static enum pubsub_status check_retry(Google__Pubsub__V1__RetryPolicy *policy,
                                      struct pubsub_error *error) {
  enum pubsub_status status;
  if (!policy) return PUBSUB_OK;
  if ((status = default_duration(&policy->minimum_backoff, 10, error)) != PUBSUB_OK) return status;
  if ((status = default_duration(&policy->maximum_backoff, 600, error)) != PUBSUB_OK) return status;
  if (!within(policy->minimum_backoff, 0, 10 * MINUTE) ||
      !within(policy->maximum_backoff, 0, 10 * MINUTE)) {
    return out_of(error, "retry backoff", "0 and 600 seconds");
  }
  if (times_duration_us(policy->minimum_backoff, 0) >
      times_duration_us(policy->maximum_backoff, 0)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "The minimum retry backoff must not exceed the maximum.");
  }
  return PUBSUB_OK;
}

static enum pubsub_status check_filter(const char *text, struct pubsub_error *error) {
  const char *problem;
  if (strlen(text) > 256) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "A filter has at most 256 bytes.");
  }
  filter_free(filter_parse(text, &problem));
  return problem ? pubsub_error_set(error, PUBSUB_E_INVALID, "Invalid filter: %s.", problem)
                 : PUBSUB_OK;
}

static enum pubsub_status check_deadline(Google__Pubsub__V1__Subscription *config,
                                         struct pubsub_error *error) {
  if (config->ack_deadline_seconds == 0) config->ack_deadline_seconds = 10;
  if (config->ack_deadline_seconds >= 10 && config->ack_deadline_seconds <= 600) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_INVALID,
                          "Invalid ack deadline given: %d. Must be between 10 and 600 seconds.",
                          config->ack_deadline_seconds);
}

/* A month; a policy without a ttl: never. */
static enum pubsub_status default_expiration(Google__Pubsub__V1__ExpirationPolicy **field,
                                             struct pubsub_error *error) {
  if (*field) return PUBSUB_OK;
  *field = malloc(sizeof **field);
  if (!*field) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  google__pubsub__v1__expiration_policy__init(*field);
  return default_duration(&(*field)->ttl, 31 * 86400, error);
}

static enum pubsub_status check_times(Google__Pubsub__V1__Subscription *config,
                                      struct pubsub_error *error) {
  enum pubsub_status status =
      default_duration(&config->message_retention_duration, 7 * 86400, error);
  if (status != PUBSUB_OK) return status;
  if (!within(config->message_retention_duration, 10 * MINUTE, 31 * DAY)) {
    return out_of(error, "message_retention_duration", "10 minutes and 31 days");
  }
  if ((status = default_expiration(&config->expiration_policy, error)) != PUBSUB_OK) return status;
  if (config->expiration_policy->ttl &&
      !within(config->expiration_policy->ttl, DAY, 366 * 100 * DAY)) {
    return out_of(error, "expiration ttl", "1 day and forever");
  }
  return PUBSUB_OK;
}

/* http:// or https://, a host, and nothing that a URL cannot hold. */
static bool is_url(const char *text) {
  size_t scheme = strncasecmp(text, "http://", 7) == 0    ? 7
                  : strncasecmp(text, "https://", 8) == 0 ? 8
                                                          : 0;
  for (const char *c = text; *c; c++) {
    if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || strchr("\"<>\\^`{|}", *c))
      return false;
  }
  return scheme > 0 && strcspn(text + scheme, "/?#") > 0;
}

enum pubsub_status settings_check_push(const Google__Pubsub__V1__PushConfig *config,
                                       struct pubsub_error *error) {
  if (config->push_endpoint[0] == '\0' || is_url(config->push_endpoint)) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_INVALID,
                          "Invalid push endpoint given: (endpoint=%.300s): it must be a URL with "
                          "http:// or https:// and a host.",
                          config->push_endpoint);
}

/* A pull subscription's is there, and empty. */
static enum pubsub_status check_push(Google__Pubsub__V1__PushConfig **field,
                                     struct pubsub_error *error) {
  if (*field) return settings_check_push(*field, error);
  *field = malloc(sizeof **field);
  if (!*field) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  google__pubsub__v1__push_config__init(*field);
  return PUBSUB_OK;
}

enum pubsub_status settings_check_subscription(Google__Pubsub__V1__Subscription *config,
                                               struct pubsub_error *error) {
  enum pubsub_status status = check_deadline(config, error);
  if (status == PUBSUB_OK) status = check_times(config, error);
  if (status == PUBSUB_OK) status = check_dead_letter(config->dead_letter_policy, error);
  if (status == PUBSUB_OK) status = check_retry(config->retry_policy, error);
  if (status == PUBSUB_OK) status = check_filter(config->filter, error);
  if (status == PUBSUB_OK) status = check_push(&config->push_config, error);
  return status;
}

enum pubsub_status settings_check_topic(const Google__Pubsub__V1__Topic *config,
                                        struct pubsub_error *error) {
  if (config->message_retention_duration &&
      !within(config->message_retention_duration, 10 * MINUTE, 31 * DAY)) {
    return out_of(error, "message_retention_duration", "10 minutes and 31 days");
  }
  return PUBSUB_OK;
}
