#include "push/endpoint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool copy(char *out, size_t cap, const char *text, size_t len) {
  if (len >= cap) return false;
  memcpy(out, text, len);
  out[len] = '\0';
  return true;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static bool parse_authority(const char *text, size_t len, struct pubsub_url *out) {
  const char *end = text + len, *host = text, *host_end, *at = memchr(text, '@', len);
  if (at) return false;
  if (*text == '[') {
    host = text + 1;
    host_end = memchr(text, ']', len);
    if (!host_end) return false;
    text = host_end + 1;
  } else {
    host_end = memchr(text, ':', len);
    if (!host_end) host_end = end;
    text = host_end;
  }
  unsigned long port = 80;
  if (text < end) {
    char *rest;
    if (*text != ':' || text + 1 == end) return false;
    port = strtoul(text + 1, &rest, 10);
    if (rest != end || port == 0 || port > 65535) return false;
  }
  out->port = (uint16_t)port;
  return host < host_end && copy(out->host, sizeof out->host, host, (size_t)(host_end - host));
}

bool endpoint_parse(const char *text, struct pubsub_url *out) {
  *out = (struct pubsub_url){0};
  if (strncasecmp(text, "http://", 7) != 0) return false;
  const char *authority = text + 7, *path = authority + strcspn(authority, "/?#");
  size_t path_len = strcspn(path, "#");
  if (!parse_authority(authority, (size_t)(path - authority), out)) return false;
  if (strcasecmp(out->host, "localhost") == 0) strcpy(out->host, "127.0.0.1");
  if (*path == '/') return copy(out->path, sizeof out->path, path, path_len);
  out->path[0] = '/';
  return copy(out->path + 1, sizeof out->path - 1, path, path_len);
}

bool endpoint_is_local(const struct pubsub_url *url) {
  size_t digits = strspn(url->host, "0123456789.");
  return strcmp(url->host, "::1") == 0 ||
         (strncmp(url->host, "127.", 4) == 0 && url->host[digits] == '\0');
}
