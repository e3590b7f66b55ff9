/*
 * One request for an access token, and what came of it: which bytes are sent for which credentials
 * (RFC 6749, 6; RFC 7523, 2.1), and what the endpoint's answer says. Pure: it is told the time.
 */
#ifndef PUBSUB_AUTH_TOKEN_REQUEST_H
#define PUBSUB_AUTH_TOKEN_REQUEST_H

#include "auth/credentials.h"
#include "auth/http_answer.h"

/* The whole HTTP request, a secret. now_s: since 1970. Errors: INVALID (the key cannot sign),
 * NOMEM. */
enum pubsub_status pubsub_token_request_write(const struct pubsub_credentials *credentials,
                                              uint64_t now_s, struct pubsub_buf *out,
                                              struct pubsub_error *error);
/* The token replaces out_token's content; *out_lifetime_s > 0. Errors: GRPC UNAUTHENTICATED
 * (refused for good), GRPC UNAVAILABLE (passes), PROTOCOL (no token in it), NOMEM. No text has a
 * secret. */
enum pubsub_status pubsub_token_request_read(const struct pubsub_credentials *credentials,
                                             const struct pubsub_http_answer *answer,
                                             struct pubsub_buf *out_token, uint64_t *out_lifetime_s,
                                             struct pubsub_error *error);

#endif
