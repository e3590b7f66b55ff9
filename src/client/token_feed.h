/*
 * Keeps a client supplied with access tokens: gets the first one, renews it before it ends and when
 * the service refuses it, and goes on trying while no new one can be had.
 *
 *   asking ── token ─▶ holding ── due, refused ─▶ asking
 *     ▲ └── error ─▶ pausing (1 s, doubling, at most 60 s) ─┐
 *     └────────────────────────────────────────────────────┘
 *
 * Lives on the client's first loop; `shared` under its monitor: whoever waits for the first token.
 */
#ifndef PUBSUB_CLIENT_TOKEN_FEED_H
#define PUBSUB_CLIENT_TOKEN_FEED_H

#include "client/client.h"

struct pubsub_token_feed;

/* Finds the credentials and starts to ask; waits for the first token. On OK *out is the caller's.
 * Errors: as pubsub_client_use_credentials. */
enum pubsub_status pubsub_token_feed_start(struct pubsub_client *client,
                                           const struct pubsub_credentials_options *options,
                                           uint32_t timeout_ms, struct pubsub_token_feed **out,
                                           struct pubsub_error *error);
/* Ends what is under way; on any thread, while its loop runs or after it was joined. NULL is
 * allowed. */
void pubsub_token_feed_destroy(struct pubsub_token_feed *feed);

#endif
