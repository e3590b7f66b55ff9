/* What is read from a proxy's URL, NO_PROXY and the proxy's answer. */
#include "support.h"

#include "net/proxy.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void urls(void **state) {
  struct pubsub_proxy proxy;
  struct pubsub_error error = {0};
  (void)state;
  assert_int_equal(pubsub_proxy_parse("proxy.corp:3128", &proxy, &error), PUBSUB_OK);
  assert_string_equal(proxy.host, "proxy.corp");
  assert_int_equal(proxy.port, 3128);
  assert_string_equal(proxy.credentials, "");
  assert_int_equal(pubsub_proxy_parse("HTTP://us%40er:p%3aw@[fd00::1]:99/", &proxy, &error),
                   PUBSUB_OK);
  assert_string_equal(proxy.host, "fd00::1");
  assert_int_equal(proxy.port, 99);
  assert_string_equal(proxy.credentials, "dXNAZXI6cDp3"); /* us@er:p:w */
  assert_int_equal(pubsub_proxy_parse("http://only@proxy", &proxy, &error), PUBSUB_OK);
  assert_int_equal(proxy.port, 80);
  assert_string_equal(proxy.credentials, "b25seTo="); /* only: */
  static const char *const bad[] = {"",
                                    "https://user:secret@proxy",
                                    "socks5://user:secret@proxy",
                                    "http://user:secret@",
                                    "http://user:secret@host:0",
                                    "http://user:secret@host:port",
                                    "http://user:secret%4@host",
                                    "http://user:secret@ho st"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(pubsub_proxy_parse(bad[i], &proxy, &error), PUBSUB_E_INVALID);
    assert_null(strstr(error.text, "secret"));
    assert_string_equal(proxy.host, "");
    assert_string_equal(proxy.credentials, "");
  }
}

/* Every length around what the array takes; user names may lack the colon that is added then. */
static void credentials_of_any_length(void **state) {
  char url[8 + 1200 + 8];
  (void)state;
  for (size_t len = 1; len < 1200; len++) {
    struct {
      struct pubsub_proxy proxy;
      uint8_t behind[8];
    } out;
    memset(&out, 0xee, sizeof out);
    snprintf(url, sizeof url, "http://%0*d@proxy:1", (int)len, 7);
    if (len % 2) url[7] = ':';
    bool good = pubsub_proxy_parse(url, &out.proxy, NULL) == PUBSUB_OK;
    assert_int_equal(good, len <= 1024);
    size_t with_colon = len + (len % 2 == 0);
    if (good) assert_int_equal(strlen(out.proxy.credentials), (with_colon + 2) / 3 * 4);
    assert_memory_equal(out.behind, "\xee\xee\xee\xee\xee\xee\xee\xee", 8);
  }
}

static void no_proxy(void **state) {
  static const struct {
    const char *list, *host;
    uint16_t port;
    bool bypassed;
  } cases[] = {
      {"*", "pubsub.googleapis.com", 443, true},
      {"", "pubsub.googleapis.com", 443, false},
      {" , a.b,googleapis.com", "pubsub.googleapis.com", 443, true},
      {".googleapis.com", "pubsub.googleapis.com", 443, true},
      {"*.googleapis.com", "pubsub.GOOGLEAPIS.com", 443, true},
      {".googleapis.com", "googleapis.com", 443, true},
      {"apis.com", "pubsub.googleapis.com", 443, false},
      {"pubsub.googleapis.com.evil", "pubsub.googleapis.com", 443, false},
      {"googleapis.com:443", "pubsub.googleapis.com", 443, true},
      {"googleapis.com:444", "pubsub.googleapis.com", 443, false},
      {"10.1.2.3", "10.1.2.3", 443, true},
      {"10.1.2.3", "10.1.2.30", 443, false},
      {"10.0.0.0/8", "10.200.2.3", 443, true},
      {"10.0.0.0/8", "11.0.0.1", 443, false},
      {"10.128.0.0/9", "10.127.0.1", 443, false},
      {"10.128.0.0/9", "10.129.0.1", 443, true},
      {"0.0.0.0/0", "1.2.3.4", 443, true},
      {"10.0.0.0/33", "10.0.0.1", 443, false},
      {"10.0.0.0/x", "10.0.0.1", 443, false},
      {"10.0.0.0/8", "ten.example", 443, false},
      {"fd00::/8", "fdab::1", 443, true},
      {"fd00::/8", "fe80::1", 443, false},
      {"0:0::1", "::1", 443, true},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(pubsub_proxy_bypassed(cases[i].list, cases[i].host, cases[i].port),
                     cases[i].bypassed);
  }
  assert_true(pubsub_proxy_is_loopback("LOCALHOST"));
  assert_true(pubsub_proxy_is_loopback("127.8.8.8"));
  assert_true(pubsub_proxy_is_loopback("::1"));
  assert_false(pubsub_proxy_is_loopback("localhost.example"));
  assert_false(pubsub_proxy_is_loopback("128.0.0.1"));
}

static const char *chosen(const char *option, const char *host, bool tls) {
  static struct pubsub_proxy proxy;
  assert_int_equal(pubsub_proxy_choose(option, host, 443, tls, &proxy, NULL), PUBSUB_OK);
  return proxy.host;
}

static void choice(void **state) {
  struct pubsub_proxy proxy;
  struct pubsub_error error = {0};
  (void)state;
  unsetenv("https_proxy");
  setenv("HTTPS_PROXY", "http://upper:1", 1);
  setenv("NO_PROXY", "internal.corp", 1);
  unsetenv("no_proxy");
  assert_string_equal(chosen(NULL, "pubsub.googleapis.com", true), "upper");
  assert_string_equal(chosen(NULL, "pubsub.googleapis.com", false), "");
  assert_string_equal(chosen(NULL, "127.0.0.1", true), "");
  assert_string_equal(chosen(NULL, "pubsub.internal.corp", true), "");
  assert_string_equal(chosen("", "pubsub.googleapis.com", true), "");
  assert_string_equal(chosen("given:2", "localhost", false), "given");
  setenv("https_proxy", "lower:1", 1);
  setenv("no_proxy", "googleapis.com", 1);
  assert_string_equal(chosen(NULL, "pubsub.example.com", true), "lower");
  assert_string_equal(chosen(NULL, "pubsub.googleapis.com", true), "");
  setenv("https_proxy", "ftp://user:secret@lower:1", 1);
  assert_int_equal(pubsub_proxy_choose(NULL, "example.com", 443, true, &proxy, &error),
                   PUBSUB_E_INVALID);
  assert_non_null(strstr(error.text, "HTTPS_PROXY"));
  assert_null(strstr(error.text, "secret"));
  unsetenv("https_proxy");
  unsetenv("HTTPS_PROXY");
  assert_string_equal(chosen(NULL, "pubsub.example.com", true), "");
}

static void request(void **state) {
  struct pubsub_proxy proxy;
  struct pubsub_buf out = {0};
  static const char direct[] =
      "CONNECT [fd00::2]:443 HTTP/1.1\r\nHost: [fd00::2]:443\r\nUser-Agent:";
  (void)state;
  pubsub_proxy_parse("proxy:1", &proxy, NULL);
  assert_int_equal(pubsub_proxy_write_request(&proxy, "fd00::2", 443, &out), PUBSUB_OK);
  assert_memory_equal(out.ptr, direct, sizeof direct - 1);
  assert_null(memmem(out.ptr, out.len, "Proxy-Auth", 10));
  assert_memory_equal(out.ptr + out.len - 4, "\r\n\r\n", 4);
  out.len = 0;
  pubsub_proxy_parse("http://a:b@proxy:1", &proxy, NULL);
  assert_int_equal(pubsub_proxy_write_request(&proxy, "h", 443, &out), PUBSUB_OK);
  static const char end[] = "\r\nProxy-Authorization: Basic YTpi\r\n\r\n";
  assert_memory_equal(out.ptr + out.len - (sizeof end - 1), end, sizeof end - 1);
  pubsub_buf_clear(&out);
}

static void responses(void **state) {
  static const struct {
    const char *head;
    enum pubsub_status status;
    bool retryable;
    const char *text;
  } cases[] = {
      {"HTTP/1.1 200 Connection established\r\n\r\n", PUBSUB_OK, false, ""},
      {"HTTP/1.0 204\r\nA: b\r\n\r\n", PUBSUB_OK, false, ""},
      {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", PUBSUB_E_CONNECT, false,
       "HTTP 407 Proxy Authentication Required (it wants a user name"},
      {"HTTP/1.1 403 Forbidden\r\n\r\n", PUBSUB_E_CONNECT, false, "HTTP 403 Forbidden"},
      {"HTTP/1.1 502 Bad Gateway\r\n\r\n", PUBSUB_E_CONNECT, true, "HTTP 502 Bad Gateway"},
      {"HTTP/1.1 301 Moved\r\n\r\n", PUBSUB_E_CONNECT, false, "HTTP 301"},
      {"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", PUBSUB_E_CONNECT, true, "does not speak HTTP"},
      {"HTTP/1.1 2x0 no\r\n\r\n", PUBSUB_E_CONNECT, true, "does not speak HTTP"},
      {"\r\n\r\n", PUBSUB_E_CONNECT, true, "does not speak HTTP"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct pubsub_error error = {0};
    enum pubsub_status status = pubsub_proxy_read_response(pubsub_view_str(cases[i].head), &error);
    assert_int_equal(status, cases[i].status);
    assert_int_equal(error.retryable, cases[i].retryable);
    assert_non_null(strstr(error.text, cases[i].text));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(urls),
                                     cmocka_unit_test(credentials_of_any_length),
                                     cmocka_unit_test(no_proxy),
                                     cmocka_unit_test(choice),
                                     cmocka_unit_test_teardown(request, no_leaks),
                                     cmocka_unit_test(responses)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
