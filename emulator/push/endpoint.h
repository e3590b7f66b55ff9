/* A push endpoint: "http://host[:port]/path?query", taken apart. Pure. */
#ifndef EMULATOR_PUSH_ENDPOINT_H
#define EMULATOR_PUSH_ENDPOINT_H

#include "auth/url.h"
#include <stdbool.h>

/* False: not http://, or longer than it can be. `localhost` becomes 127.0.0.1. */
bool endpoint_parse(const char *text, struct pubsub_url *out);
/* Of this host: 127.x.x.x, ::1. */
bool endpoint_is_local(const struct pubsub_url *url);

#endif
