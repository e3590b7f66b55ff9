/*
 * Plaintext byte streams over a connected, non-blocking TCP socket. Used by dial.c and listener.c;
 * the lower half of tls_stream.c. Loop thread only.
 */
#ifndef PUBSUB_NET_SOCKET_H
#define PUBSUB_NET_SOCKET_H

#include "net/bytestream.h"

/* Takes fd on OK. */
enum pubsub_status pubsub_socket_stream_new(struct pubsub_loop *loop, int take_fd,
                                            struct pubsub_bytestream **out,
                                            struct pubsub_error *error);

#endif
