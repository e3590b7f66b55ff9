/*
 * The second front: REST with JSON. A request of HTTP becomes a struct call of the method that its
 * route names (route.h), its message from body, path and query (json/, bind.h); the answer becomes
 * JSON, failures too (failure.h). Knows no topics. Loop thread only.
 *
 *   rest_serve ─▶ method … answer ─▶ exchange_respond ─▶ freed at the end of the turn
 *                    └── the peer goes first, or its time is over ──────▶ freed
 */
#ifndef EMULATOR_REST_REST_H
#define EMULATOR_REST_REST_H

#include "http/exchange.h"
#include "net/loop.h"
#include "rest/route.h"
#include "rpc/service.h"

struct rest {
  struct pubsub_loop *loop;
  const struct service *service;
  const struct route *routes;
  struct pubsub_list calls; /* of struct rest_call */
};

void rest_init(struct rest *rest, struct pubsub_loop *loop, const struct service *service,
               const struct route *routes);
/* A complete request. It is answered now or later. */
void rest_serve(struct rest *rest, struct exchange *exchange);
/* Frees calls at once; nobody is told. */
void rest_destroy_all(struct rest *rest);

#endif
