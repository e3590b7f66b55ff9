/*
 * What the service answered, in a user's words: which topic or subscription, what is missing, and
 * the command that helps. Pure. Used wherever a call's error reaches a user.
 */
#ifndef PUBSUB_GRPC_EXPLAIN_H
#define PUBSUB_GRPC_EXPLAIN_H

#include "base/bytes.h"

/* Whom a call was about. All borrowed. */
struct pubsub_subject {
  const char *object;      /* "topic", "subscription", "snapshot", "project" */
  struct pubsub_view name; /* "projects/P/topics/T" */
  const char *deed;        /* "to read", "to publish to"; NULL: "on" */
  const char *permission;  /* that the deed needs, "pubsub.topics.publish"; NULL or "": unknown */
  bool emulator; /* the endpoint is one (plaintext): commands for it are those of `pubsub` */
};

/* Fills out for a call that failed with why; code and retryable are kept. They may be the same
 * object. */
void pubsub_explain(const struct pubsub_subject *subject, const struct pubsub_error *why,
                    struct pubsub_error *out);
/* That the subject itself does not exist (NOT_FOUND), and how it is made. */
void pubsub_explain_missing(const struct pubsub_subject *subject, struct pubsub_error *out);

#endif
