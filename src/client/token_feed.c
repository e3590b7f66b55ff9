#include "client/token_feed.h"

#include "auth/http_call.h"
#include "auth/token_request.h"
#include "auth/token_times.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/container.h"
#include "base/error.h"
#include "base/monitor.h"
#include "base/wipe.h"
#include "grpc/backoff.h"
#include "net/proxy.h"
#include <time.h>

#define LOOK_US 1000000
#define CALL_TIMEOUT_MS 20000
#define METADATA_TIMEOUT_MS 3000 /* off Google's machines nobody answers there */
#define FIRST_PAUSE_US 1000000
#define MAX_PAUSE_US 60000000

struct pubsub_token_feed {
  struct pubsub_client *client;
  struct pubsub_loop *owner;
  struct pubsub_credentials credentials;
  struct pubsub_tls_context *tls; /* NULL: the endpoint is plaintext */
  struct pubsub_proxy proxy;      /* host "": none */

  struct {
    struct pubsub_monitor monitor;
    bool told; /* of the first token, or that there will be none */
    struct pubsub_error error;
  } shared;

  struct {                         /* loop thread */
    struct pubsub_http_call *call; /* while asking */
    struct pubsub_timer timer;     /* while holding or pausing */
    struct pubsub_token_times times;
    struct pubsub_backoff backoff;
    struct pubsub_rng rng;
    bool has_token;
  } loop;
};

static void ask(struct pubsub_token_feed *feed);

/* ---- whoever waits for the first token ---- */

static void tell(struct pubsub_token_feed *feed, const struct pubsub_error *error) {
  pubsub_monitor_lock(&feed->shared.monitor);
  if (error && !feed->shared.told) feed->shared.error = *error;
  feed->shared.told = true;
  pubsub_monitor_wake(&feed->shared.monitor);
  pubsub_monitor_unlock(&feed->shared.monitor);
}

/* What was not so bad as to end the wait, for its end. */
static void note(struct pubsub_token_feed *feed, const struct pubsub_error *error) {
  pubsub_monitor_lock(&feed->shared.monitor);
  if (!feed->shared.told) feed->shared.error = *error;
  pubsub_monitor_unlock(&feed->shared.monitor);
}

static enum pubsub_status wait_for_first(struct pubsub_token_feed *feed, uint32_t timeout_ms,
                                         struct pubsub_error *error) {
  uint64_t due_us = pubsub_clock_now_us() + (uint64_t)timeout_ms * 1000;
  pubsub_monitor_lock(&feed->shared.monitor);
  while (!feed->shared.told && pubsub_monitor_wait_until(&feed->shared.monitor, due_us)) {}
  struct pubsub_error result = feed->shared.error;
  if (!feed->shared.told && result.status == PUBSUB_OK) {
    pubsub_error_set(&result, PUBSUB_E_TIMEOUT, "no access token from %.200s within %u ms",
                     feed->credentials.url.host, timeout_ms);
  }
  feed->shared.told = true;
  pubsub_monitor_unlock(&feed->shared.monitor);
  if (result.status != PUBSUB_OK && error) *error = result;
  return result.status;
}

/* ---- on the loop ---- */

static bool is_metadata(const struct pubsub_token_feed *feed) {
  return feed->credentials.kind == PUBSUB_CREDENTIALS_METADATA;
}

/* Nobody is there, or another cloud's server: this is no machine of Google's, and there was no
 * file. */
static void explain(const struct pubsub_token_feed *feed, struct pubsub_error *error) {
  struct pubsub_error cause = *error;
  if (!is_metadata(feed) || feed->loop.has_token) return;
  pubsub_error_set(error, PUBSUB_E_INVALID,
                   "no credentials: name a key file in GOOGLE_APPLICATION_CREDENTIALS, or run: "
                   "gcloud auth application-default login (the metadata server: %.200s)",
                   cause.text);
}

static void pause_after(struct pubsub_token_feed *feed, struct pubsub_error *error) {
  bool passes = error->retryable;
  explain(feed, error);
  if (!feed->loop.has_token && (!passes || is_metadata(feed))) {
    tell(feed, error);
    return; /* for good: the caller destroys the feed */
  }
  note(feed, error);
  uint64_t delay_us = pubsub_backoff_next_us(&feed->loop.backoff, &feed->loop.rng);
  pubsub_loop_timer_set(feed->owner, &feed->loop.timer, pubsub_loop_now_us(feed->owner) + delay_us);
}

static void hold(struct pubsub_token_feed *feed, uint64_t lifetime_s) {
  uint64_t now_us = pubsub_loop_now_us(feed->owner);
  pubsub_token_times_note(&feed->loop.times, now_us, lifetime_s,
                          pubsub_client_unauthenticated_count(feed->client));
  pubsub_backoff_reset(&feed->loop.backoff);
  feed->loop.has_token = true;
  pubsub_loop_timer_set(feed->owner, &feed->loop.timer, now_us + LOOK_US);
  tell(feed, NULL);
}

static void on_answer(void *user, const struct pubsub_http_answer *answer,
                      const struct pubsub_error *failure) {
  struct pubsub_token_feed *feed = user;
  struct pubsub_error error = {0};
  struct pubsub_buf token = {0};
  uint64_t lifetime_s = 0;
  feed->loop.call = NULL;
  enum pubsub_status status = failure ? failure->status : PUBSUB_OK;
  if (failure) {
    error = *failure;
  } else {
    status = pubsub_token_request_read(&feed->credentials, answer, &token, &lifetime_s, &error);
  }
  if (status == PUBSUB_OK) {
    status = pubsub_client_set_token(feed->client, (const char *)token.ptr, token.len, &error);
  }
  pubsub_buf_wipe(&token);
  if (status == PUBSUB_OK)
    hold(feed, lifetime_s);
  else
    pause_after(feed, &error);
}

static void ask(struct pubsub_token_feed *feed) {
  struct pubsub_error error = {0};
  struct pubsub_buf request = {0};
  struct pubsub_http_call_options options = {.url = &feed->credentials.url,
                                             .tls = feed->tls,
                                             .proxy = feed->proxy.host[0] ? &feed->proxy : NULL,
                                             .timeout_ms = is_metadata(feed) ? METADATA_TIMEOUT_MS
                                                                             : CALL_TIMEOUT_MS};
  enum pubsub_status status =
      pubsub_token_request_write(&feed->credentials, (uint64_t)time(NULL), &request, &error);
  if (status == PUBSUB_OK) {
    status = pubsub_http_call_start(feed->owner, &options, &request, on_answer, feed,
                                    &feed->loop.call, &error);
  }
  pubsub_buf_wipe(&request);
  if (status != PUBSUB_OK) pause_after(feed, &error);
}

static void on_timer(struct pubsub_timer *timer) {
  struct pubsub_token_feed *feed = PUBSUB_CONTAINER_OF(timer, struct pubsub_token_feed, loop.timer);
  uint64_t now_us = pubsub_loop_now_us(feed->owner);
  bool pausing = feed->loop.backoff.attempts > 0;
  if (pausing || pubsub_token_times_due(&feed->loop.times, now_us,
                                        pubsub_client_unauthenticated_count(feed->client))) {
    ask(feed);
  } else {
    pubsub_loop_timer_set(feed->owner, timer, now_us + LOOK_US);
  }
}

static void start_on_loop(void *user) {
  ask(user);
}

static void end_on_loop(void *user) {
  struct pubsub_token_feed *feed = user;
  pubsub_loop_timer_cancel(feed->owner, &feed->loop.timer);
  if (feed->loop.call) pubsub_http_call_cancel(feed->loop.call);
  feed->loop.call = NULL;
}

/* ---- from the first to the last ---- */

static void feed_free(struct pubsub_token_feed *feed) {
  pubsub_monitor_clear(&feed->shared.monitor);
  pubsub_credentials_clear(&feed->credentials);
  pubsub_tls_context_destroy(feed->tls);
  pubsub_wipe(&feed->proxy, sizeof feed->proxy);
  pubsub_free(feed);
}

void pubsub_token_feed_destroy(struct pubsub_token_feed *feed) {
  if (!feed) return;
  pubsub_loop_call(feed->owner, end_on_loop, feed);
  feed_free(feed);
}

static enum pubsub_status prepare(struct pubsub_token_feed *feed,
                                  const struct pubsub_credentials_options *options,
                                  struct pubsub_error *error) {
  enum pubsub_status status = pubsub_credentials_find(options->file, &feed->credentials, error);
  if (status != PUBSUB_OK) return status;
  const struct pubsub_url *url = &feed->credentials.url;
  if (is_metadata(feed)) return PUBSUB_OK; /* the machine's own, never through a proxy */
  status = pubsub_proxy_choose(options->proxy, url->host, url->port, url->tls, &feed->proxy, error);
  if (status != PUBSUB_OK || !url->tls) return status;
  status = pubsub_tls_context_new_client(options->ca_file, &feed->tls, error);
  if (status == PUBSUB_OK) status = pubsub_tls_context_use_http1(feed->tls, error);
  return status;
}

enum pubsub_status pubsub_token_feed_start(struct pubsub_client *client,
                                           const struct pubsub_credentials_options *options,
                                           uint32_t timeout_ms, struct pubsub_token_feed **out,
                                           struct pubsub_error *error) {
  struct pubsub_token_feed *feed = pubsub_alloc_zero(1, sizeof *feed);
  if (!feed) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  feed->client = client;
  feed->owner = client->lanes[0].loop;
  feed->loop.timer.run = on_timer;
  pubsub_rng_seed_random(&feed->loop.rng);
  pubsub_backoff_init(&feed->loop.backoff, FIRST_PAUSE_US, MAX_PAUSE_US);
  pubsub_monitor_init(&feed->shared.monitor);
  enum pubsub_status status = prepare(feed, options, error);
  if (status != PUBSUB_OK) {
    feed_free(feed);
    return status;
  }
  pubsub_loop_call(feed->owner, start_on_loop, feed);
  status = wait_for_first(feed, timeout_ms, error);
  if (status == PUBSUB_OK)
    *out = feed;
  else
    pubsub_token_feed_destroy(feed);
  return status;
}
