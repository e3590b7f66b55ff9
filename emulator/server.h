/* The listening server: accepts connections and answers the Pub/Sub methods from one broker, on
 * one loop. */
#ifndef EMULATOR_SERVER_H
#define EMULATOR_SERVER_H

#include "net/loop.h"

struct server;
struct server_options {
  const char *address;                   /* numeric */
  uint16_t port;                         /* 0: an ephemeral one */
  const char *tls_certificate, *tls_key; /* PEM files; NULL: plaintext */
  uint64_t seed;                         /* of the faults */
  bool record;                           /* from the start */
  const char *require_token;             /* token.h; NULL: none */
};
enum pubsub_status server_new(struct pubsub_loop *loop, const struct server_options *options,
                              struct server **out, struct pubsub_error *error);
/* Before the loop runs. Errors: INVALID, told. */
enum pubsub_status server_add_topic(struct server *server, const char *name,
                                    struct pubsub_error *error);
/* "SUBSCRIPTION=TOPIC", full names; the topic is created where it is missing. */
enum pubsub_status server_add_subscription(struct server *server, const char *text,
                                           struct pubsub_error *error);
/* preset_project; config_load. */
enum pubsub_status server_add_project(struct server *server, const char *text,
                                      struct pubsub_error *error);
enum pubsub_status server_add_config(struct server *server, const char *path,
                                     struct pubsub_error *error);
enum pubsub_status server_add_fault(struct server *server, const char *text,
                                    struct pubsub_error *error);
uint16_t server_port(const struct server *server);
void server_destroy(struct server *server); /* closes every connection */

#endif
