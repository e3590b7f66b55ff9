/*
 * One administrative call: blocking for the caller, a unary call on one of the client's loops,
 * repeated while it fails with what passes by itself, and its error put into a user's words.
 *
 * Any thread but a loop's. Used by topics.c, subscriptions.c, snapshots.c and permissions.c.
 */
#ifndef PUBSUB_CLIENT_ADMIN_CALL_H
#define PUBSUB_CLIENT_ADMIN_CALL_H

#include "base/bytes.h"
#include "client/client.h"
#include "google/pubsub/v1/pubsub.pb-c.h"

#define PUBSUB_PUBLISHER_METHOD(name) "/google.pubsub.v1.Publisher/" name
#define PUBSUB_SUBSCRIBER_METHOD(name) "/google.pubsub.v1.Subscriber/" name

/* What is called, and how its failure is told. Static. */
struct pubsub_admin_method {
  const char *path;
  const char *field;      /* of the routing header: "topic", "subscription", … */
  const char *object;     /* "topic", "subscription", "snapshot", "project" */
  const char *permission; /* that the call needs; "": unknown */
};

/*
 * Sends `request` about `name` (the resource in the routing header and in errors), at most
 * timeout_ms. *response gets the encoded answer, the caller's to clear, also after a failure; NULL:
 * not wanted.
 */
enum pubsub_status pubsub_admin_call(struct pubsub_client *client,
                                     const struct pubsub_admin_method *method, const char *name,
                                     const ProtobufCMessage *request, uint32_t timeout_ms,
                                     struct pubsub_buf *response, struct pubsub_error *error);

/* "topic 'projects/P/topics/T' does not exist", and how to create it. */
void pubsub_admin_set_missing(struct pubsub_client *client, const char *object, const char *name,
                              struct pubsub_error *out);
/* The answer cannot be read. */
enum pubsub_status pubsub_admin_unreadable(struct pubsub_error *error);
/* What is in a response, also where that is nothing; borrowed. */
struct pubsub_view pubsub_admin_answer(const struct pubsub_buf *response);
/* protobuf-c has no const strings; it does not write to them. */
char *pubsub_admin_text(const char *borrowed);

#endif
