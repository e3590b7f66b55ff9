/*
 * Host names to addresses, without blocking the loop: numeric ones at once, others on a thread of
 * their own. Used by dial.c.
 */
#ifndef PUBSUB_NET_RESOLVE_H
#define PUBSUB_NET_RESOLVE_H

#include "net/loop.h"
#include <netdb.h>

struct pubsub_resolve;
/* On the loop's thread, later. addresses: the callee's to freeaddrinfo; NULL: failed, with the
 * reason. */
typedef void pubsub_resolve_done_fn(void *user, struct addrinfo *take_addresses,
                                    const char *reason);
enum pubsub_status pubsub_resolve_start(struct pubsub_loop *loop, const char *host, uint16_t port,
                                        pubsub_resolve_done_fn *on_done, void *user,
                                        struct pubsub_resolve **out, struct pubsub_error *error);
/* Before on_done, which is then not called. Does not wait for the thread. */
void pubsub_resolve_cancel(struct pubsub_resolve *resolve);

#endif
