/*
 * Connects to the first of several addresses that answers (RFC 8305 in a simple form): a new
 * attempt starts every 250 ms, or at once where one has failed, with IPv6 and IPv4 in turns; those
 * that are under way go on. So an address that swallows packets costs 250 ms, not the whole time.
 *
 * Loop thread only. Not bounded in time: dial.c does that.
 */
#ifndef PUBSUB_NET_CONNECT_H
#define PUBSUB_NET_CONNECT_H

#include "net/loop.h"
#include <netdb.h>

struct pubsub_connect;
/* fd: connected, non-blocking, the callee's; -1: every address failed, the last one for this
 * reason. */
typedef void pubsub_connect_done_fn(void *user, int take_fd, const char *reason);
/* The addresses stay the caller's, and stay until on_done, which is called later. Errors: NOMEM. */
enum pubsub_status pubsub_connect_start(struct pubsub_loop *loop, const struct addrinfo *addresses,
                                        pubsub_connect_done_fn *on_done, void *user,
                                        struct pubsub_connect **out);
void pubsub_connect_cancel(struct pubsub_connect *connect); /* before on_done; it is not called */

#endif
