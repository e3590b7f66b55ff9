/*
 * An HTTP proxy that connects whatever is asked for to one port of this host. One thread a
 * connection, of side none. proxy_destroy cuts what is open and waits for the threads.
 */
#ifndef TORTURE_PROXY_H
#define TORTURE_PROXY_H

#include <stdint.h>

struct proxy;
struct proxy *proxy_new(uint16_t to_port, uint16_t *out_port); /* NULL: told by errno */
void proxy_destroy(struct proxy *proxy);                       /* NULL is allowed */

#endif
