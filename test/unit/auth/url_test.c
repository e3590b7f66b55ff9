#include "support.h"

#include "auth/url.h"
#include <string.h>

static struct pubsub_url url;

static void good(const char *text, bool tls, const char *host, uint16_t port, const char *path) {
  assert_int_equal(pubsub_url_parse(text, "it", &url, NULL), PUBSUB_OK);
  assert_int_equal(url.tls, tls);
  assert_string_equal(url.host, host);
  assert_int_equal(url.port, port);
  assert_string_equal(url.path, path);
}

static void urls(void **state) {
  (void)state;
  good("https://oauth2.googleapis.com/token", true, "oauth2.googleapis.com", 443, "/token");
  good("https://h:8443/a?b=c", true, "h", 8443, "/a?b=c");
  good("https://h", true, "h", 443, "/");
  good("http://localhost:81/x", false, "localhost", 81, "/x");
  good("http://[::1]:81/x", false, "::1", 81, "/x");
}

static void bad(const char *text, const char *words) {
  struct pubsub_error error = {0};
  assert_int_equal(pubsub_url_parse(text, "it", &url, &error), PUBSUB_E_INVALID);
  assert_non_null(strstr(error.text, words));
}

static void what_is_none(void **state) {
  char path[1000];
  (void)state;
  bad("", "it is no URL");
  bad("oauth2.googleapis.com/token", "it is no URL");
  bad("ftp://h/x", "it is no URL");
  bad("https:///x", "it is no URL");
  bad("https://h?x", "it is no URL");
  bad("https://h/a b", "it is no URL");
  bad("https://h/a\r\nX: y", "it is no URL");
  memset(path, 'x', sizeof path);
  memcpy(path, "https://h/", 10);
  path[sizeof path - 1] = '\0';
  bad(path, "it is no URL");
}

static void secrets_are_not_sent_in_plaintext(void **state) {
  (void)state;
  bad("http://tokens.example/x", "without TLS");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(urls), cmocka_unit_test(what_is_none),
                                     cmocka_unit_test(secrets_are_not_sent_in_plaintext)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
