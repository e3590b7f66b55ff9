#include "pub/retry.h"
#include "base/error.h"

#define MAX_UNAUTHENTICATED 6u /* 6 s at least: a fresh token must be fetched in between */

void pubsub_retry_init(struct pubsub_retry *retry, const struct pubsub_retry_limits *limits) {
  *retry = (struct pubsub_retry){0};
  pubsub_backoff_init(&retry->backoff, limits->initial_backoff_us, limits->max_backoff_us);
}

uint64_t pubsub_retry_attempt_us(struct pubsub_retry *retry,
                                 const struct pubsub_retry_limits *limits, uint64_t now_us) {
  if (!retry->sent) {
    retry->sent = true;
    retry->first_send_us = now_us;
  }
  uint64_t end_us = retry->first_send_us + limits->total_timeout_us;
  uint64_t left_us = end_us > now_us ? end_us - now_us : 1;
  return left_us < limits->call_timeout_us ? left_us : limits->call_timeout_us;
}

/* What every caller of the library is told to be passing (base/error.h), with three exceptions. */
bool pubsub_retry_is_transient(const struct pubsub_error *why) {
  if (why->status == PUBSUB_E_PROTOCOL) return true; /* an answer that makes no sense */
  if (why->status != PUBSUB_E_GRPC) return why->retryable;
  if (why->grpc_code == PUBSUB_GRPC_UNAUTHENTICATED) return true; /* until there is a fresh token */
  if (why->grpc_code == PUBSUB_GRPC_INTERNAL && strstr(why->text, "invalid UTF-8"))
    return false; /* the same bytes would be refused again */
  return why->retryable;
}

bool pubsub_retry_again(struct pubsub_retry *retry, const struct pubsub_retry_limits *limits,
                        const struct pubsub_error *why, uint64_t now_us, struct pubsub_rng *rng,
                        uint64_t *out_delay_us) {
  if (!pubsub_retry_is_transient(why)) return false;
  if (why->status == PUBSUB_E_GRPC && why->grpc_code == PUBSUB_GRPC_UNAUTHENTICATED &&
      ++retry->unauthenticated > MAX_UNAUTHENTICATED)
    return false;
  uint64_t delay_us = pubsub_backoff_next_us(&retry->backoff, rng);
  if (now_us + delay_us >= retry->first_send_us + limits->total_timeout_us) return false;
  *out_delay_us = delay_us;
  return true;
}

/* What a reader can do about an answer of the service, as the tail of a sentence. */
static void explain_code(const struct pubsub_error *why, struct pubsub_view topic,
                         struct pubsub_error *out) {
  int name_len = (int)topic.len;
  const char *name = (const char *)topic.ptr;
  switch (why->grpc_code) {
  case PUBSUB_GRPC_NOT_FOUND:
    pubsub_error_set_grpc(out, why->grpc_code,
                          "topic %.*s does not exist; create it: gcloud pubsub topics create %.*s "
                          "(NOT_FOUND: %.160s)",
                          name_len, name, name_len, name, why->text);
    return;
  case PUBSUB_GRPC_PERMISSION_DENIED:
    pubsub_error_set_grpc(out, why->grpc_code,
                          "no permission to publish to topic %.*s; the account needs "
                          "pubsub.topics.publish, for example the role roles/pubsub.publisher "
                          "(PERMISSION_DENIED: %.160s)",
                          name_len, name, why->text);
    return;
  case PUBSUB_GRPC_UNAUTHENTICATED:
    pubsub_error_set_grpc(out, why->grpc_code,
                          "the service did not accept the access token for publishing to topic "
                          "%.*s (UNAUTHENTICATED: %.160s)",
                          name_len, name, why->text);
    return;
  default:
    pubsub_error_set_grpc(out, why->grpc_code,
                          "the service refused a publish request to topic %.*s (%s: %.200s)",
                          name_len, name, pubsub_grpc_code_name(why->grpc_code), why->text);
  }
}

void pubsub_retry_explain(const struct pubsub_retry *retry, const struct pubsub_error *why,
                          struct pubsub_view topic, uint64_t now_us, struct pubsub_error *out) {
  struct pubsub_error refused;
  if (why->status == PUBSUB_E_GRPC &&
      (!pubsub_retry_is_transient(why) || why->grpc_code == PUBSUB_GRPC_UNAUTHENTICATED)) {
    explain_code(why, topic, &refused);
    refused.retryable = false;
  } else if (pubsub_retry_is_transient(why)) {
    refused = *why;
    double seconds = (double)(now_us - retry->first_send_us) / 1e6;
    const char *kind = why->status == PUBSUB_E_GRPC ? pubsub_grpc_code_name(why->grpc_code)
                                                    : pubsub_status_name(why->status);
    pubsub_error_set(&refused, why->status,
                     "gave up publishing to topic %.*s after %.1f s and %u attempts; the last one "
                     "failed with %s: %.200s",
                     (int)topic.len, (const char *)topic.ptr, seconds, retry->backoff.attempts,
                     kind, why->text);
    refused.grpc_code = why->grpc_code;
    refused.retryable = true;
  } else {
    pubsub_error_set(&refused, why->status, "cannot publish to topic %.*s: %.300s", (int)topic.len,
                     (const char *)topic.ptr, why->text);
  }
  *out = refused;
}
