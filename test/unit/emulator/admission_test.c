#include "support.h"

#include "http/admission.h"

static const struct admission narrow = {.address = "127.0.0.1"};
static const struct admission other = {.address = "10.1.2.3"};
static const struct admission v6 = {.address = "::1"};
static const struct admission wide = {.address = "0.0.0.0", .wide = true};

/* Fields by name, ended by NULL. */
static bool is_welcome(const struct admission *admission, const char *const *fields) {
  struct http_request request = {0};
  for (; *fields; fields += 2) {
    enum http_field field = http_field_named(pubsub_view_str(fields[0]));
    assert_int_not_equal(field, HTTP_FIELDS);
    assert_true(http_field_set(&request, field, pubsub_view_str(fields[1])));
  }
  bool welcome = admission_problem(admission, &request) == NULL;
  pubsub_buf_clear(&request.text);
  return welcome;
}

#define WELCOME(admission, ...)                                                                    \
  is_welcome(&(admission), (const char *const[]){":method", "GET", __VA_ARGS__, NULL})

static void hosts(void **state) {
  static const char *const good[] = {"localhost", "localhost:8085", "LocalHost:1", "127.0.0.1:8085",
                                     "127.1.2.3", "[::1]",          "[::1]:8085"};
  static const char *const bad[] = {"",
                                    "evil.example",
                                    "evil.example:8085",
                                    "localhost.evil.example",
                                    "127.0.0.1.evil.example",
                                    "notlocalhost",
                                    "10.0.0.1",
                                    "[::2]:8085",
                                    "localhost:8085:8085",
                                    ":8085",
                                    "127.evil"};
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_true(WELCOME(narrow, "host", good[i]));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(WELCOME(narrow, "host", bad[i]));
  assert_true(WELCOME(other, "host", "10.1.2.3:80"));
  assert_false(WELCOME(other, "host", "10.1.2.4:80"));
  assert_true(WELCOME(v6, "host", "[::1]:80"));
  assert_true(WELCOME(wide, "host", "pubsub:8085"));
  assert_false(WELCOME(wide, "host", ""));
}

static void a_head_without_host_is_of_no_browser(void **state) {
  (void)state;
  assert_true(is_welcome(&narrow, (const char *const[]){":method", "GET", NULL}));
}

static void origins(void **state) {
  (void)state;
  assert_true(WELCOME(narrow, "host", "localhost:8085", "origin", "http://localhost:8085"));
  assert_true(WELCOME(narrow, "host", "localhost:8085", "origin", "https://localhost:8085"));
  assert_false(WELCOME(narrow, "host", "localhost:8085", "origin", "http://localhost:3000"));
  assert_false(WELCOME(narrow, "host", "localhost:8085", "origin", "http://127.0.0.1:8085"));
  assert_false(WELCOME(narrow, "host", "localhost:8085", "origin", "http://evil.example"));
  assert_false(WELCOME(narrow, "host", "localhost:8085", "origin", "null"));
  assert_false(WELCOME(narrow, "host", "localhost:8085", "origin", ""));
  assert_false(WELCOME(narrow, "host", "localhost:8085", "origin", "file://localhost:8085"));
  assert_false(WELCOME(narrow, "origin", "http://"));
  assert_false(WELCOME(wide, "host", "pubsub:8085", "origin", "http://evil.example"));
}

static void sites(void **state) {
  (void)state;
  assert_true(WELCOME(narrow, "host", "localhost", "sec-fetch-site", "same-origin"));
  assert_true(WELCOME(narrow, "host", "localhost", "sec-fetch-site", "none"));
  assert_false(WELCOME(narrow, "host", "localhost", "sec-fetch-site", "cross-site"));
  assert_false(WELCOME(narrow, "host", "localhost", "sec-fetch-site", "same-site"));
  assert_true(WELCOME(narrow, "host", "localhost", "sec-fetch-site", "cross-site", "sec-fetch-mode",
                      "navigate", "sec-fetch-dest", "document"));
  assert_false(WELCOME(narrow, "host", "localhost", "sec-fetch-site", "cross-site",
                       "sec-fetch-mode", "navigate", "sec-fetch-dest", "iframe"));
}

static void a_form_of_another_site(void **state) {
  (void)state;
  assert_false(
      is_welcome(&narrow, (const char *const[]){":method", "POST", "host", "localhost",
                                                "sec-fetch-site", "cross-site", "sec-fetch-mode",
                                                "navigate", "sec-fetch-dest", "document", NULL}));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hosts), cmocka_unit_test(a_head_without_host_is_of_no_browser),
      cmocka_unit_test(origins), cmocka_unit_test(sites), cmocka_unit_test(a_form_of_another_site)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
