/*
 * The client: one endpoint, its event-loop threads, connections and credentials. What programs do
 * with it stands in publisher.h, subscriber.h and admin.h.
 *
 * Threads: every function may be called from any thread, also several at once, but for destroy,
 * which must be the last. A client must outlive its subscribers and publishers.
 */
#ifndef PUBSUB_CLIENT_H
#define PUBSUB_CLIENT_H

#include <pubsub/error.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pubsub_client;

/* Zero-initialise, then set what differs from the default. Strings are copied. */
struct pubsub_client_options {
  /* "host", "host:port", "[v6]:port"; NULL: pubsub.googleapis.com:443 */
  const char *endpoint;
  /* h2c without TLS: emulators only; a token is never sent over it */
  bool plaintext;
  /* PEM bundle instead of the system's CA store; NULL: the system's */
  const char *ca_file;
  /* appended to the library's own, at most 200 bytes of printable ASCII; NULL: none */
  const char *user_agent;
  /* x-goog-user-project, the project that pays, of the same characters; NULL: none */
  const char *quota_project;
  /* event-loop threads; 0: one per 4 cores, at least 1 */
  unsigned loop_threads;
  /* for resolving, proxy and TLS together; 0: 10000 */
  uint32_t connect_timeout_ms;
  /* a silent stream or connection is tested after so long, and given up half as long after that
   * without an answer; 0: 30000 */
  uint32_t keepalive_ms;
  /* HTTP proxy for the endpoint, "http://user:password@host:port"; "": none. NULL: HTTPS_PROXY and
   * NO_PROXY of the environment, for TLS to other hosts than this one */
  const char *proxy;
};

/*
 * Starts the loop threads; does not connect yet and does not block. On success *out is the
 * caller's, to be given to pubsub_client_destroy. Errors: INVALID (an option, or a proxy in the
 * environment, cannot be read), NOMEM, TLS (bad ca_file).
 */
PUBSUB_API enum pubsub_status pubsub_client_new(const struct pubsub_client_options *options,
                                                struct pubsub_client **out,
                                                struct pubsub_error *error);

/*
 * Closes connections, ends the threads, frees. Blocks until the threads have ended (bounded, < 5
 * s). NULL is allowed. Subscribers and publishers of this client must be destroyed before.
 */
PUBSUB_API void pubsub_client_destroy(struct pubsub_client *client);

/*
 * Hands over an OAuth access token ("ya29…", without "Bearer") of token_bytes bytes. It is copied
 * and used for calls from now on, also those of streams that are open already when they open again.
 * Does not block. Errors: INVALID when the client is plaintext, or the token is empty or has
 * characters that no header may have; NOMEM.
 */
PUBSUB_API enum pubsub_status pubsub_client_set_token(struct pubsub_client *client,
                                                      const char *token, size_t token_bytes,
                                                      struct pubsub_error *error);

/*
 * The client that most programs want: to the emulator at PUBSUB_EMULATOR_HOST in plaintext where
 * that is set, else to the service with the application default credentials. Blocks until there is
 * a token, at most 30 s. *out and errors: as those of pubsub_client_new and
 * pubsub_client_use_credentials; after an error there is no client.
 */
PUBSUB_API enum pubsub_status pubsub_client_from_environment(struct pubsub_client **out,
                                                             struct pubsub_error *error);

/* Where access tokens come from; zero-initialise, then set what differs. Borrowed for the call. */
struct pubsub_credentials_options {
  /* JSON: a service account's key, or a user's (authorized_user). NULL: the application default
   * credentials, which are the first of these that is there: the file in
   * GOOGLE_APPLICATION_CREDENTIALS, application_default_credentials.json in $CLOUDSDK_CONFIG or
   * ~/.config/gcloud, the metadata server (at GCE_METADATA_HOST, or where Google's machines have
   * it) */
  const char *file;
  /* PEM bundle for the token endpoint; NULL: the system's */
  const char *ca_file;
  /* as in pubsub_client_options, for the token endpoint */
  const char *proxy;
};

/*
 * Finds credentials, gets an access token, and renews it from now on: five minutes before it ends,
 * and when the service refuses it; while no new one can be had, the old one stays. Instead of
 * set_token. Calling it again replaces what it did before. Blocks until there is a token, at most
 * timeout_ms. Errors: INVALID (plaintext; no credentials, or a file that cannot be read: text says
 * what to do), GRPC with UNAUTHENTICATED (the token endpoint refuses them), CONNECT, RESOLVE, TLS,
 * TIMEOUT, NOMEM. After an error no token is renewed. No text has a secret.
 */
PUBSUB_API enum pubsub_status
pubsub_client_use_credentials(struct pubsub_client *client,
                              const struct pubsub_credentials_options *options, uint32_t timeout_ms,
                              struct pubsub_error *error);

/* How many calls the service has answered UNAUTHENTICATED: a rise asks for a fresh token. */
PUBSUB_API uint64_t pubsub_client_unauthenticated_count(struct pubsub_client *client);

/* Library version, "MAJOR.MINOR.PATCH"; static. */
PUBSUB_API const char *pubsub_version(void);
/* What is linked in, each with its version, as text ("OpenSSL 3.0.17 1 Jul 2025, nghttp2 …"): tells
 * which of their fixes are inside. At most out_bytes, its NUL included; 160 are enough. */
PUBSUB_API void pubsub_libraries(char *out, size_t out_bytes);
/* Blocks of memory the library holds now; 0 after everything is destroyed. For leak checks. */
PUBSUB_API uint64_t pubsub_live_allocations(void);

#ifdef __cplusplus
}
#endif
#endif
