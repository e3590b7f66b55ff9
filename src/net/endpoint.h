/* Endpoints as people write them: "host", "host:port", "[v6]:port". Pure. */
#ifndef PUBSUB_NET_ENDPOINT_H
#define PUBSUB_NET_ENDPOINT_H

#include <pubsub/error.h>
#include <stddef.h>
#include <stdint.h>

/* Into host (without brackets) and port (default_port where none is given). Errors: INVALID, also
 * for what cannot be a name or an address; the outputs are then undefined. */
enum pubsub_status pubsub_endpoint_parse(const char *endpoint, uint16_t default_port, char *host,
                                         size_t host_bytes, uint16_t *port,
                                         struct pubsub_error *error);

#endif
