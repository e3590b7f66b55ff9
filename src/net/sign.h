/*
 * A signature with somebody's private key: RS256 (RSASSA-PKCS1-v1_5 with SHA-256, RFC 7518, 3.3),
 * as assertions for access tokens need it. Pure, any thread. Here because only this folder sees
 * OpenSSL.
 */
#ifndef PUBSUB_NET_SIGN_H
#define PUBSUB_NET_SIGN_H

#include "base/bytes.h"

/* Appends the signature of `data` to out. `key` is PEM: PKCS #8 or PKCS #1, without a pass phrase.
 * Errors: INVALID (not such a key; its text shows nothing of it), NOMEM. */
enum pubsub_status pubsub_sign_rs256(struct pubsub_view key, struct pubsub_view data,
                                     struct pubsub_buf *out, struct pubsub_error *error);

/* A new key of 2,048 bits, its halves in PEM: PKCS #8, and SubjectPublicKeyInfo. Appends; the first
 * is a secret. Takes a tenth of a second. Errors: NOMEM. */
enum pubsub_status pubsub_key_generate(struct pubsub_buf *private_pem,
                                       struct pubsub_buf *public_pem);

#endif
