/*
 * Who pushes: a key that is made when it is first needed, and the tokens that it signs (OIDC's JWT,
 * RS256), as an endpoint that asks for authentication wants them. Nobody but a test can check them:
 * `pubsub.emulator.v1.Control` tells the public half.
 */
#ifndef EMULATOR_PUSH_IDENTITY_H
#define EMULATOR_PUSH_IDENTITY_H

#include "base/bytes.h"

struct identity {
  struct pubsub_buf private_pem, public_pem;
};

/* Ends with a NUL. NULL: no memory. */
const char *identity_public_key(struct identity *identity);
/* A token of an account for an audience, for an hour from now on; the caller's to pubsub_free.
 * NULL: no memory. */
char *identity_token(struct identity *identity, const char *account, const char *audience,
                     int64_t now_s);
void identity_clear(struct identity *identity);

#endif
