#include "support.h"

#include "push/endpoint.h"
#include <string.h>

static void taken_apart(void **state) {
  struct pubsub_url url;
  (void)state;
  assert_true(endpoint_parse("http://127.0.0.1:8080/a/b?c=d#e", &url));
  assert_string_equal(url.host, "127.0.0.1");
  assert_int_equal(url.port, 8080);
  assert_string_equal(url.path, "/a/b?c=d");
  assert_true(endpoint_parse("HTTP://localhost", &url));
  assert_string_equal(url.host, "127.0.0.1");
  assert_int_equal(url.port, 80);
  assert_string_equal(url.path, "/");
  assert_true(endpoint_parse("http://[::1]:9/x", &url));
  assert_string_equal(url.host, "::1");
  assert_int_equal(url.port, 9);
  assert_true(endpoint_parse("http://host?q", &url));
  assert_string_equal(url.path, "/?q");
}

static void refused(void **state) {
  static const char *const bad[] = {"",
                                    "https://127.0.0.1/",
                                    "http://",
                                    "http:///path",
                                    "http://:80/",
                                    "http://host:/",
                                    "http://host:0/",
                                    "http://host:65536/",
                                    "http://host:8x/",
                                    "http://127.0.0.1@evil.example/",
                                    "http://[::1/",
                                    "http://[::1]x/"};
  char longest[700] = "http://host/";
  struct pubsub_url url;
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(endpoint_parse(bad[i], &url));
  memset(longest + 12, 'a', 600);
  assert_false(endpoint_parse(longest, &url));
}

static void of_this_host(void **state) {
  static const struct {
    const char *url;
    bool local;
  } cases[] = {{"http://127.0.0.1/", true},       {"http://127.9.9.9/", true},
               {"http://localhost/", true},       {"http://[::1]/", true},
               {"http://127.0.0.1.evil/", false}, {"http://10.0.0.1/", false},
               {"http://localhost.evil/", false}, {"http://128.0.0.1/", false}};
  struct pubsub_url url;
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_true(endpoint_parse(cases[i].url, &url));
    assert_int_equal(endpoint_is_local(&url), cases[i].local);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(taken_apart), cmocka_unit_test(refused),
                                     cmocka_unit_test(of_this_host)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
