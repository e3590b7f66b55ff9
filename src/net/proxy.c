#include "net/proxy.h"

#include "base/error.h"
#include "base/text.h"
#include "base/wipe.h"
#include "net/endpoint.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* ---- URLs ---- */

/* "user:password" or "user", percent-encoded. */
static bool read_credentials(struct pubsub_view text, struct pubsub_proxy *out) {
  uint8_t user[PUBSUB_PROXY_MAX_USER_BYTES + 1]; /* with the colon that may be missing */
  size_t len;
  bool good = pubsub_percent_decode(text, user, PUBSUB_PROXY_MAX_USER_BYTES, &len);
  if (good && !memchr(user, ':', len)) user[len++] = ':';
  good = good && pubsub_base64_encode(pubsub_view_of(user, len), true, out->credentials,
                                      sizeof out->credentials);
  pubsub_wipe(user, sizeof user);
  return good;
}

enum pubsub_status pubsub_proxy_parse(const char *url, struct pubsub_proxy *out,
                                      struct pubsub_error *error) {
  char place[300];
  *out = (struct pubsub_proxy){0};
  const char *start = url, *scheme_end = strstr(url, "://");
  if (scheme_end) {
    if (scheme_end - url != 4 || strncasecmp(url, "http", 4) != 0) {
      return pubsub_error_set(error, PUBSUB_E_INVALID,
                              "a proxy is reached by 'http://host:port'; no other scheme will do");
    }
    start = scheme_end + 3;
  }
  size_t len = strcspn(start, "/?#");
  const char *at = memrchr(start, '@', len);
  if (at) {
    if (!read_credentials(pubsub_view_of(start, (size_t)(at - start)), out)) goto invalid;
    len -= (size_t)(at + 1 - start);
    start = at + 1;
  }
  if (len >= sizeof place) goto invalid;
  memcpy(place, start, len);
  place[len] = '\0';
  if (pubsub_endpoint_parse(place, 80, out->host, sizeof out->host, &out->port, NULL) !=
      PUBSUB_OK) {
    goto invalid;
  }
  return PUBSUB_OK;
invalid:
  *out = (struct pubsub_proxy){0};
  return pubsub_error_set(error, PUBSUB_E_INVALID,
                          "the proxy is not of the form http://user:password@host:port, or its "
                          "user name and password are longer than %d bytes",
                          PUBSUB_PROXY_MAX_USER_BYTES);
}

/* ---- which hosts ---- */

struct address {
  size_t len; /* bytes: 4 or 16; 0: not an address */
  uint8_t bytes[16];
};

static struct address address_of(const char *text) {
  struct address address = {0};
  if (inet_pton(AF_INET, text, address.bytes) == 1) {
    address.len = 4;
  } else if (inet_pton(AF_INET6, text, address.bytes) == 1) {
    address.len = 16;
  }
  return address;
}

static bool in_range(const struct address *address, const char *text, unsigned long bits) {
  struct address network = address_of(text);
  if (network.len == 0 || network.len != address->len || bits > network.len * 8) return false;
  size_t bytes = bits / 8;
  if (memcmp(network.bytes, address->bytes, bytes) != 0) return false;
  unsigned mask = 0xff00u >> (bits % 8) & 0xff;
  return bits % 8 == 0 || ((network.bytes[bytes] ^ address->bytes[bytes]) & mask) == 0;
}

/* One entry of the list, as a writable string. */
static bool entry_matches(char *entry, const char *host, uint16_t port) {
  struct address address = address_of(host);
  char *slash = strchr(entry, '/'), name[256];
  uint16_t only_port;
  if (strcmp(entry, "*") == 0) return true;
  if (slash) {
    char *end;
    *slash = '\0';
    unsigned long bits = strtoul(slash + 1, &end, 10);
    return slash[1] >= '0' && slash[1] <= '9' && *end == '\0' && in_range(&address, entry, bits);
  }
  if (entry[0] == '*' && entry[1] == '.') entry++;
  if (pubsub_endpoint_parse(entry, port, name, sizeof name, &only_port, NULL) != PUBSUB_OK ||
      only_port != port) {
    return false;
  }
  if (address.len > 0) {
    struct address other = address_of(name);
    return other.len == address.len && memcmp(other.bytes, address.bytes, other.len) == 0;
  }
  const char *suffix = name[0] == '.' ? name + 1 : name;
  size_t host_len = strlen(host), len = strlen(suffix);
  if (len == 0 || host_len < len || strcasecmp(host + host_len - len, suffix) != 0) return false;
  return host_len == len || host[host_len - len - 1] == '.';
}

bool pubsub_proxy_bypassed(const char *no_proxy, const char *host, uint16_t port) {
  static const char separators[] = ", \t";
  char entry[300];
  while (*(no_proxy += strspn(no_proxy, separators))) {
    size_t len = strcspn(no_proxy, separators);
    if (len < sizeof entry) {
      memcpy(entry, no_proxy, len);
      entry[len] = '\0';
      if (entry_matches(entry, host, port)) return true;
    }
    no_proxy += len;
  }
  return false;
}

bool pubsub_proxy_is_loopback(const char *host) {
  char list[] = "localhost,127.0.0.0/8,::1,::ffff:127.0.0.0/104";
  return pubsub_proxy_bypassed(list, host, 1);
}

static const char *from_environment(const char *lower, const char *upper) {
  const char *value = getenv(lower);
  if (!value || !value[0]) value = getenv(upper);
  return value && value[0] ? value : NULL;
}

enum pubsub_status pubsub_proxy_choose(const char *option, const char *host, uint16_t port,
                                       bool tls, struct pubsub_proxy *out,
                                       struct pubsub_error *error) {
  *out = (struct pubsub_proxy){0};
  if (option) return option[0] ? pubsub_proxy_parse(option, out, error) : PUBSUB_OK;
  const char *url = from_environment("https_proxy", "HTTPS_PROXY");
  const char *no_proxy = from_environment("no_proxy", "NO_PROXY");
  if (!url || !tls || pubsub_proxy_is_loopback(host)) return PUBSUB_OK;
  if (no_proxy && pubsub_proxy_bypassed(no_proxy, host, port)) return PUBSUB_OK;
  enum pubsub_status status = pubsub_proxy_parse(url, out, error);
  if (status == PUBSUB_OK || !error) return status;
  return pubsub_error_set(error, status, "HTTPS_PROXY of the environment: %.300s", error->text);
}

/* ---- the tunnel's messages ---- */

enum pubsub_status pubsub_proxy_write_request(const struct pubsub_proxy *proxy, const char *host,
                                              uint16_t port, struct pubsub_buf *out) {
  size_t room = 2 * strlen(host) + strlen(proxy->credentials) + 160;
  if (pubsub_buf_reserve(out, room) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  bool v6 = strchr(host, ':') != NULL, known = proxy->credentials[0] != '\0';
  const char *open = v6 ? "[" : "", *close = v6 ? "]" : "";
  int len =
      snprintf((char *)out->ptr + out->len, room,
               "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n"
               "User-Agent: libpubsub/" PUBSUB_VERSION_STRING "\r\n%s%s%s\r\n",
               open, host, close, port, open, host, close, port,
               known ? "Proxy-Authorization: Basic " : "", proxy->credentials, known ? "\r\n" : "");
  out->len += (size_t)len;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_proxy_read_response(struct pubsub_view head, struct pubsub_error *error) {
  const char *text = (const char *)head.ptr;
  if (head.len < 13 || memcmp(text, "HTTP/1.", 7) != 0 || text[8] != ' ' || text[9] < '1' ||
      text[9] > '5' || text[10] < '0' || text[10] > '9' || text[11] < '0' || text[11] > '9') {
    return pubsub_error_set(error, PUBSUB_E_CONNECT, "the proxy does not speak HTTP");
  }
  int code = (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
  if (code / 100 == 2) return PUBSUB_OK;
  const char *phrase = text + 12, *end = memchr(phrase, '\r', head.len - 12);
  int phrase_len = end ? (int)(end - phrase) : 0;
  if (phrase_len > 80) phrase_len = 80;
  pubsub_error_set(error, PUBSUB_E_CONNECT, "the proxy refused the connection: HTTP %d%.*s%s", code,
                   phrase_len, phrase,
                   code == 407 ? " (it wants a user name and password, or others than these: "
                                 "http://user:password@host:port)"
                               : "");
  if (error) error->retryable = code == 408 || code == 429 || code >= 500;
  return PUBSUB_E_CONNECT;
}
