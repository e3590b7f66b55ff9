/*
 * The client: one endpoint, its event-loop threads, connections and credentials, and the
 * administrative calls that programs need around reading and writing.
 *
 * Threads: every function may be called from any thread. Calls named "blocks" wait for the
 * service, at most timeout_ms. A client must outlive its subscribers and publishers.
 */
#ifndef PUBSUB_CLIENT_H
#define PUBSUB_CLIENT_H

#include <pubsub/error.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pubsub_client;

/* Zero-initialise, then set what differs from the default. Strings are copied. */
struct pubsub_client_options {
  const char *endpoint;      /* "host", "host:port", "[v6]:port"; NULL: pubsub.googleapis.com:443 */
  bool plaintext;            /* h2c without TLS: emulators only; a token is never sent over it */
  const char *ca_file;       /* PEM bundle instead of the system's CA store; NULL: the system's */
  const char *user_agent;    /* appended to the library's own; NULL: none */
  const char *quota_project; /* x-goog-user-project; NULL: none */
  unsigned loop_threads;     /* 0: one per 4 cores, at least 1 */
  uint32_t connect_timeout_ms; /* 0: 10000 */
  uint32_t
      keepalive_ms; /* a silent stream or connection is tested after so long, and given up half as
                                  long after that without an answer; 0: 30000 */
  const char *
      proxy; /* HTTP proxy for the endpoint, "http://user:password@host:port"; "": none. NULL: HTTPS_PROXY and
                        NO_PROXY of the environment, for TLS to other hosts than this one */
};

/* Starts the loop threads; does not connect yet and does not block. On success *out is the
 * caller's, to be given to pubsub_client_destroy. Errors: INVALID (also: a proxy in the environment that cannot be read), NOMEM, TLS (bad ca_file). */
PUBSUB_API enum pubsub_status pubsub_client_new(const struct pubsub_client_options *options,
                                                struct pubsub_client **out,
                                                struct pubsub_error *error);

/* Closes connections, ends the threads, frees. Blocks until the threads have ended (bounded, < 5 s).
 * NULL is allowed. Subscribers and publishers of this client must be destroyed before. */
PUBSUB_API void pubsub_client_destroy(struct pubsub_client *client);

/* Hands over an OAuth access token ("ya29…", without "Bearer"), copied, used for calls from now on.
 * Errors: INVALID when the client is plaintext, or the token has characters not allowed in a header. */
PUBSUB_API enum pubsub_status pubsub_client_set_token(struct pubsub_client *client,
                                                      const char *token, size_t token_bytes,
                                                      struct pubsub_error *error);

/* How many calls the service has answered UNAUTHENTICATED: a rise asks for a fresh token. */
PUBSUB_API uint64_t pubsub_client_unauthenticated_count(struct pubsub_client *client);

/* ---- administration; each blocks up to timeout_ms and retries what is safe to retry ---- */

struct pubsub_subscription_info {
  char topic[512];
  uint32_t ack_deadline_s;
  bool exactly_once;
  bool ordering;
  bool detached;
  char filter[512];
  uint64_t retention_s; /* 0: the service's 7 days */
};

/* Names are full: "projects/P/topics/T", "projects/P/subscriptions/S". */
PUBSUB_API enum pubsub_status pubsub_client_create_topic(struct pubsub_client *client,
                                                         const char *topic, uint32_t timeout_ms,
                                                         struct pubsub_error *error);
PUBSUB_API enum pubsub_status pubsub_client_get_topic(struct pubsub_client *client,
                                                      const char *topic, uint32_t timeout_ms,
                                                      struct pubsub_error *error);
PUBSUB_API enum pubsub_status pubsub_client_delete_topic(struct pubsub_client *client,
                                                         const char *topic, uint32_t timeout_ms,
                                                         struct pubsub_error *error);

/* detached is not read; ack_deadline_s 0: the service's 10. */
PUBSUB_API enum pubsub_status
pubsub_client_create_subscription(struct pubsub_client *client, const char *subscription,
                                  const struct pubsub_subscription_info *info, uint32_t timeout_ms,
                                  struct pubsub_error *error);
/* info may be NULL when only existence matters. */
PUBSUB_API enum pubsub_status pubsub_client_get_subscription(struct pubsub_client *client,
                                                             const char *subscription,
                                                             struct pubsub_subscription_info *info,
                                                             uint32_t timeout_ms,
                                                             struct pubsub_error *error);
PUBSUB_API enum pubsub_status pubsub_client_delete_subscription(struct pubsub_client *client,
                                                                const char *subscription,
                                                                uint32_t timeout_ms,
                                                                struct pubsub_error *error);

/* Everything published before the time (µs since 1970) counts as acknowledged, everything after it that is retained does not. */
PUBSUB_API enum pubsub_status pubsub_client_seek(struct pubsub_client *client,
                                                 const char *subscription, int64_t time_us,
                                                 uint32_t timeout_ms, struct pubsub_error *error);
/* Whether the caller has a permission ("pubsub.subscriptions.consume") on a topic or subscription, as IAM says. */
PUBSUB_API enum pubsub_status pubsub_client_may(struct pubsub_client *client, const char *resource,
                                                const char *permission, bool *out_granted,
                                                uint32_t timeout_ms, struct pubsub_error *error);

/* Library version, "MAJOR.MINOR.PATCH". */
PUBSUB_API const char *pubsub_version(void);
/* Blocks of memory the library holds now; 0 after everything is destroyed. For leak checks. */
PUBSUB_API uint64_t pubsub_live_allocations(void);

#ifdef __cplusplus
}
#endif
#endif
