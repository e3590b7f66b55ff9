/*
 * One connection of a client: HTTP/2, whose requests go to the fronts by their content type (gRPC;
 * others are refused in plain words). Frees itself when the peer goes. Loop thread only.
 */
#ifndef EMULATOR_RPC_CONNECTION_H
#define EMULATOR_RPC_CONNECTION_H

#include "h2/conn.h"
#include "net/loop.h"
#include "rpc/call.h"

/* What is served. */
struct service {
  const struct method *const *tables; /* each ends with path NULL; the last table is NULL */
  struct broker *broker;              /* of every call */
  /* Sees a call's first message before its method. False: the method is not to be called (now).
   * May be NULL. */
  bool (*intercept)(struct call *call, struct pubsub_view request);
  /* Looks at a call's headers; `authorization` is borrowed, empty where there is none. NULL: the
   * call is welcome; otherwise why it is answered UNAUTHENTICATED. May be NULL. */
  const char *(*admit)(struct broker *broker, const struct method *method,
                       struct pubsub_view authorization);
};

struct connection {
  struct pubsub_list link;
  struct pubsub_list calls; /* of struct grpc_call */
  struct pubsub_list *all;  /* the list that holds it */
  struct pubsub_loop *loop;
  const struct service *service;
  struct pubsub_h2_conn *h2;
};

/* Takes the stream on success; NULL: no memory. `list` holds it until it is destroyed. */
struct connection *connection_new(struct pubsub_loop *loop, struct pubsub_bytestream *take_stream,
                                  const struct pubsub_h2_options *options,
                                  const struct service *service, struct pubsub_list *list);
void connection_destroy(struct connection *connection); /* at once, its calls with it */

#endif
