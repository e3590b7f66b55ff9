/*
 * One connection of HTTP/2, whose requests go to the fronts by their content type: gRPC here, all
 * others to the site (http/). Frees itself when the peer goes. Loop thread only.
 */
#ifndef EMULATOR_RPC_CONNECTION_H
#define EMULATOR_RPC_CONNECTION_H

#include "h2/conn.h"
#include "http/exchange.h"
#include "net/loop.h"
#include "rpc/service.h"

struct connection {
  struct pubsub_list link;
  struct pubsub_list calls;   /* of struct grpc_call */
  struct pubsub_list streams; /* of struct http2 */
  struct pubsub_list *all;    /* the list that holds it */
  struct pubsub_loop *loop;
  const struct service *service;
  struct site *site;
  struct pubsub_h2_conn *h2;
  bool local; /* the peer is on this host */
};

/* Takes the stream on success; NULL: no memory. `list` holds it until it is destroyed. */
struct connection *connection_new(struct pubsub_loop *loop, struct pubsub_bytestream *take_stream,
                                  const struct pubsub_h2_options *options,
                                  const struct service *service, struct site *site,
                                  struct pubsub_list *list);
void connection_destroy(struct connection *connection); /* at once, its calls with it */

#endif
