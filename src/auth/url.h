/* URLs of token endpoints: "https://host[:port]/path", and http:// where nothing secret leaves the
 * host. Pure. */
#ifndef PUBSUB_AUTH_URL_H
#define PUBSUB_AUTH_URL_H

#include <pubsub/error.h>

struct pubsub_url {
  bool tls;
  char host[256];
  uint16_t port;
  char path[512]; /* with its query; begins with a slash */
};

/* `what` names the URL in errors. Errors: INVALID (no such URL; or http:// to another host than
 * this one: secrets are not sent in plaintext). */
enum pubsub_status pubsub_url_parse(const char *text, const char *what, struct pubsub_url *out,
                                    struct pubsub_error *error);

#endif
