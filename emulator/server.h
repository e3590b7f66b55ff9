/* The listening server: accepts connections and answers the Pub/Sub methods from one broker, on
 * one loop. */
#ifndef EMULATOR_SERVER_H
#define EMULATOR_SERVER_H

#include "base/bytes.h"
#include "net/loop.h"

struct server;
struct server_options {
  const char *address;                   /* numeric */
  uint16_t port;                         /* 0: an ephemeral one */
  int listen_fd;                         /* a socket instead of both, duplicated; 0: none */
  const char *tls_certificate, *tls_key; /* PEM files; NULL: plaintext */
  uint64_t seed;                         /* of the faults */
  bool record;                           /* from the start */
  const char *require_token;             /* token.h; NULL: none */
  const char *data_dir;                  /* keeper.h; NULL: nothing is written */
  bool push_anywhere;                    /* to other hosts than this one too */
  bool sync_interval;                    /* the disk is waited for every now and then, not always */
};
enum pubsub_status server_new(struct pubsub_loop *loop, const struct server_options *options,
                              struct server **out, struct pubsub_error *error);
/* Before the loop runs. Errors: INVALID, told. */
enum pubsub_status server_add_topic(struct server *server, const char *name,
                                    struct pubsub_error *error);
/* "SUBSCRIPTION=TOPIC", full names; the topic is created where it is missing. */
enum pubsub_status server_add_subscription(struct server *server, const char *text,
                                           struct pubsub_error *error);
/* preset_project; config_load. Of a folder that was not empty: what is there already stays, and
 * messages are not published again. */
enum pubsub_status server_add_project(struct server *server, const char *text,
                                      struct pubsub_error *error);
enum pubsub_status server_add_config(struct server *server, const char *path,
                                     struct pubsub_error *error);
enum pubsub_status server_add_fault(struct server *server, const char *text,
                                    struct pubsub_error *error);
/* What was added so far survives a restart, where there is a folder. Errors: IO. */
enum pubsub_status server_commit(struct server *server, struct pubsub_error *error);
/* A command of the control endpoint; appends its answer. Errors: INVALID (told), NOMEM. */
enum pubsub_status server_command(struct server *server, const char *text, struct pubsub_buf *out,
                                  struct pubsub_error *error);
/* What is to be said of the folder: a crash before left a write half done. "": nothing. */
const char *server_notice(const struct server *server);
/* The loop was stopped because the store failed. */
bool server_failed(const struct server *server, struct pubsub_error *why);
/* What is called when a client has had everything deleted: to make it anew as at the start. */
void server_on_reset(struct server *server,
                     bool (*on_reset)(void *user, struct pubsub_error *error), void *user);
uint16_t server_port(const struct server *server);
void server_destroy(struct server *server); /* closes every connection */

#endif
