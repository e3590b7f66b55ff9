/*
 * What people write about endpoints and proxies, and what a proxy answers. Texts that are taken are
 * what they say, and can be written into a request without another line coming of it.
 *
 * Input: a head, then texts, each up to a NUL: an endpoint, a proxy's URL, a list as in NO_PROXY, a
 * host; the rest is a proxy's answer.
 */
#include "net/endpoint.h"
#include "net/proxy.h"
#include "support/fuzz.h"
#include <stdio.h>
#include <stdlib.h>

static char *next_text(struct fuzz_input *input) {
  const uint8_t *end = input->left > 0 ? memchr(input->ptr, 0, input->left) : NULL;
  struct pubsub_view text = fuzz_bytes(input, end ? (size_t)(end - input->ptr) : input->left);
  fuzz_u8(input);
  return fuzz_text(text);
}

static void check_host(const char *host, size_t room, uint16_t port) {
  const char *end = memchr(host, 0, room);
  FUZZ_CHECK(end && end > host && port > 0);
  for (const char *c = host; c < end; c++)
    FUZZ_CHECK((unsigned char)*c > ' ' && *c != 0x7f && *c != '/');
}

/* What was read, written and read again, is the same. */
static void check_endpoint(const char *text) {
  char host[64], again[64], written[96];
  uint16_t port, port_again;
  struct pubsub_error error = {0};
  if (pubsub_endpoint_parse(text, 443, host, sizeof host, &port, &error) != PUBSUB_OK) {
    FUZZ_CHECK(error.status == PUBSUB_E_INVALID && error.text[0]);
    return;
  }
  check_host(host, sizeof host, port);
  if (strpbrk(host, "[]")) return; /* cannot be written */
  snprintf(written, sizeof written, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
  FUZZ_CHECK(pubsub_endpoint_parse(written, 1, again, sizeof again, &port_again, NULL) ==
             PUBSUB_OK);
  FUZZ_CHECK(strcmp(host, again) == 0 && port == port_again);
}

static size_t lines_of(const struct pubsub_buf *request) {
  size_t lines = 0;
  for (size_t i = 0; i < request->len; i++)
    lines += request->ptr[i] == '\n' || request->ptr[i] == '\r';
  return lines;
}

/* No secret in what is told, and a request of as many lines as it has headers. */
static void check_proxy(const char *url) {
  struct pubsub_error error = {0};
  struct pubsub_proxy *proxy = fuzz_alloc(sizeof *proxy); /* so that a byte past it is seen */
  struct pubsub_buf request = {0};
  if (pubsub_proxy_parse(url, proxy, &error) == PUBSUB_OK) {
    check_host(proxy->host, sizeof proxy->host, proxy->port);
    FUZZ_CHECK(memchr(proxy->credentials, 0, sizeof proxy->credentials));
    FUZZ_CHECK(strspn(proxy->credentials,
                      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
               strlen(proxy->credentials));
    FUZZ_CHECK(pubsub_proxy_write_request(proxy, "h.example", 443, &request) == PUBSUB_OK);
    FUZZ_CHECK(lines_of(&request) == (proxy->credentials[0] ? 10 : 8));
    pubsub_buf_clear(&request);
  } else {
    FUZZ_CHECK(proxy->credentials[0] == '\0' && proxy->host[0] == '\0' && error.text[0]);
    const char *at = strrchr(url, '@');
    FUZZ_CHECK(!at || at - url < 12 || !strstr(error.text, url));
  }
  free(proxy);
}

/* The environment's proxy, and an option's: what is chosen is what was asked for, or nothing. */
static void check_choice(const char *url, const char *no_proxy, const char *host, uint16_t port) {
  struct pubsub_proxy asked, chosen;
  struct pubsub_error error = {0};
  bool good = pubsub_proxy_parse(url, &asked, NULL) == PUBSUB_OK;
  setenv("https_proxy", url, 1);
  setenv("no_proxy", no_proxy, 1);
  enum pubsub_status status = pubsub_proxy_choose(NULL, host, port, true, &chosen, &error);
  FUZZ_CHECK(status == PUBSUB_OK || (!good && error.text[0] && chosen.host[0] == '\0'));
  FUZZ_CHECK(!chosen.host[0] || (good && strcmp(asked.host, chosen.host) == 0));
  FUZZ_CHECK(!chosen.host[0] || !pubsub_proxy_bypassed(no_proxy, host, port));
  status = pubsub_proxy_choose(url, host, port, false, &chosen, NULL);
  FUZZ_CHECK((status == PUBSUB_OK) == (good || !url[0]));
}

static void check_response(struct pubsub_view head) {
  struct pubsub_error error = {0};
  uint8_t *copy = fuzz_copy(head);
  enum pubsub_status status = pubsub_proxy_read_response(pubsub_view_of(copy, head.len), &error);
  FUZZ_CHECK(status == PUBSUB_OK || (status == PUBSUB_E_CONNECT && error.text[0]));
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  uint16_t port = (uint16_t)(fuzz_u8(&input) << 8 | fuzz_u8(&input));
  char *endpoint = next_text(&input), *url = next_text(&input);
  char *no_proxy = next_text(&input), *host = next_text(&input);
  check_endpoint(endpoint);
  check_proxy(url);
  bool bypassed = pubsub_proxy_bypassed(no_proxy, host, port);
  FUZZ_CHECK(!bypassed || no_proxy[0]);
  FUZZ_CHECK(!pubsub_proxy_is_loopback(host) || pubsub_proxy_bypassed("*", host, port));
  check_choice(url, no_proxy, host, port);
  check_response(fuzz_rest(&input));
  free(endpoint);
  free(url);
  free(no_proxy);
  free(host);
  return 0;
}
