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
static bool is_transient(const struct pubsub_error *why) {
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
  if (!is_transient(why)) return false;
  if (why->status == PUBSUB_E_GRPC && why->grpc_code == PUBSUB_GRPC_UNAUTHENTICATED &&
      ++retry->unauthenticated > MAX_UNAUTHENTICATED)
    return false;
  uint64_t delay_us = pubsub_backoff_next_us(&retry->backoff, rng);
  if (now_us + delay_us >= retry->first_send_us + limits->total_timeout_us) return false;
  *out_delay_us = delay_us;
  return true;
}

static void explain_exhausted(const struct pubsub_retry *retry, const struct pubsub_error *why,
                              struct pubsub_view topic, uint64_t now_us, struct pubsub_error *out) {
  double seconds = (double)(now_us - retry->first_send_us) / 1e6;
  int code = why->grpc_code;
  const char *kind =
      why->status == PUBSUB_E_GRPC ? pubsub_grpc_code_name(code) : pubsub_status_name(why->status);
  pubsub_error_set(out, why->status,
                   "gave up publishing to topic %.*s after %.1f s and %u attempts; the last one "
                   "failed with %s: %.200s",
                   (int)topic.len, (const char *)topic.ptr, seconds, retry->backoff.attempts, kind,
                   why->text);
  out->grpc_code = code;
  out->retryable = true;
}

void pubsub_retry_explain(const struct pubsub_retry *retry, const struct pubsub_error *why,
                          const struct pubsub_subject *topic, uint64_t now_us,
                          struct pubsub_error *out) {
  bool token = why->status == PUBSUB_E_GRPC && why->grpc_code == PUBSUB_GRPC_UNAUTHENTICATED;
  if (is_transient(why) && !token) {
    explain_exhausted(retry, why, topic->name, now_us, out);
  } else {
    pubsub_explain(topic, why, out);
    out->retryable = false;
  }
}
