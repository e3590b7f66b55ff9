#include "auth/url.h"

#include "base/error.h"
#include "net/endpoint.h"
#include "net/proxy.h"
#include <stdio.h>
#include <string.h>

static bool is_path(const char *text) {
  for (; *text; text++) {
    if (*text <= ' ' || *text > '~') return false;
  }
  return true;
}

enum pubsub_status pubsub_url_parse(const char *text, const char *what, struct pubsub_url *out,
                                    struct pubsub_error *error) {
  char authority[300];
  bool tls = strncmp(text, "https://", 8) == 0;
  const char *begin = tls ? text + 8 : strncmp(text, "http://", 7) == 0 ? text + 7 : "";
  size_t len = strcspn(begin, "/?#");
  const char *path = begin[len] ? begin + len : "/";
  if (len == 0 || len >= sizeof authority || *path != '/' || strlen(path) >= sizeof out->path ||
      !is_path(path)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "%s is no URL: '%.200s'", what, text);
  }
  memcpy(authority, begin, len);
  authority[len] = '\0';
  out->tls = tls;
  snprintf(out->path, sizeof out->path, "%s", path);
  enum pubsub_status status = pubsub_endpoint_parse(authority, tls ? 443 : 80, out->host,
                                                    sizeof out->host, &out->port, error);
  if (status == PUBSUB_OK && !tls && !pubsub_proxy_is_loopback(out->host)) {
    status = pubsub_error_set(error, PUBSUB_E_INVALID,
                              "%s is '%.200s': secrets are not sent without TLS", what, text);
  }
  return status;
}
