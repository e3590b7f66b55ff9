#include "net/endpoint.h"

#include "base/error.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool parse_port(const char *text, uint16_t *out) {
  char *end;
  if (*text < '0' || *text > '9') return false;
  unsigned long port = strtoul(text, &end, 10);
  if (*end != '\0' || port == 0 || port > 65535) return false;
  *out = (uint16_t)port;
  return true;
}

/* Names, addresses and zones; nothing that means something else in a URL or a header. */
static bool may_be_in_host(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         (c && strchr("-_.:%*", c));
}

enum pubsub_status pubsub_endpoint_parse(const char *endpoint, uint16_t default_port, char *host,
                                         size_t host_bytes, uint16_t *port,
                                         struct pubsub_error *error) {
  const char *start = endpoint, *end, *colon;
  if (strstr(endpoint, "://")) goto invalid;
  *port = default_port;
  if (*start == '[') {
    start++;
    end = strchr(start, ']');
    if (!end || (end[1] != '\0' && end[1] != ':')) goto invalid;
    colon = end[1] == ':' ? end + 1 : NULL;
  } else {
    colon = strchr(start, ':');
    if (colon && strchr(colon + 1, ':')) colon = NULL; /* a bare IPv6 address */
    end = colon ? colon : start + strlen(start);
  }
  if (colon && !parse_port(colon + 1, port)) goto invalid;
  size_t len = (size_t)(end - start);
  if (len == 0 || len >= host_bytes) goto invalid;
  for (size_t i = 0; i < len; i++) {
    if (!may_be_in_host(start[i])) goto invalid;
  }
  memcpy(host, start, len);
  host[len] = '\0';
  return PUBSUB_OK;
invalid:
  return pubsub_error_set(error, PUBSUB_E_INVALID,
                          "endpoint '%.200s' is not of the form host, host:port or [v6]:port",
                          endpoint);
}
