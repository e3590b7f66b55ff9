/*
 * Credentials: what a token endpoint is asked with. Found as Google's libraries find application
 * default credentials:
 *
 *   a file that the caller names
 *   the file that GOOGLE_APPLICATION_CREDENTIALS names
 *   $CLOUDSDK_CONFIG or ~/.config/gcloud, application_default_credentials.json
 *   the metadata server of Google's machines (GCE_METADATA_HOST)
 *
 * Pure but for reading the file and the environment. All of it is secret, and wiped when freed.
 */
#ifndef PUBSUB_AUTH_CREDENTIALS_H
#define PUBSUB_AUTH_CREDENTIALS_H

#include "auth/url.h"
#include "base/bytes.h"

enum pubsub_credentials_kind {
  PUBSUB_CREDENTIALS_SERVICE_ACCOUNT, /* signs an assertion with its key */
  PUBSUB_CREDENTIALS_USER,            /* has a refresh token */
  PUBSUB_CREDENTIALS_METADATA,        /* asks the machine that it runs on */
};

struct pubsub_credentials {
  enum pubsub_credentials_kind kind;
  struct pubsub_url url;                /* of the token endpoint */
  char token_uri[512];                  /* the same, as the key file has it */
  struct pubsub_buf email, key, key_id; /* SERVICE_ACCOUNT; NUL-terminated, all of them */
  struct pubsub_buf client_id, client_secret, refresh_token; /* USER */
};

/* Zeroed is none. Wipes. */
void pubsub_credentials_clear(struct pubsub_credentials *credentials);
/* The content of a file; `name` is its name, for errors. Clear `out` also after a failure. Errors:
 * INVALID (names the file and what is missing), NOMEM. */
enum pubsub_status pubsub_credentials_read(struct pubsub_view text, const char *name,
                                           struct pubsub_credentials *out,
                                           struct pubsub_error *error);
/* file NULL: as above. Errors: INVALID (the file cannot be read, or as before), NOMEM. */
enum pubsub_status pubsub_credentials_find(const char *file, struct pubsub_credentials *out,
                                           struct pubsub_error *error);

#endif
