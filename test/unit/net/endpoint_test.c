/* Endpoints as people write them, and what is refused. */
#include "support.h"

#include "net/endpoint.h"
#include <string.h>

static void what_people_write(void **state) {
  static const struct {
    const char *text, *host;
    uint16_t port;
  } cases[] = {
      {"pubsub.googleapis.com", "pubsub.googleapis.com", 443},
      {"europe-west1-pubsub.googleapis.com:443", "europe-west1-pubsub.googleapis.com", 443},
      {"localhost:8085", "localhost", 8085},
      {"127.0.0.1:1", "127.0.0.1", 1},
      {"host_with-odd.name:65535", "host_with-odd.name", 65535},
      {"[::1]:8085", "::1", 8085},
      {"[fe80::1%eth0]", "fe80::1%eth0", 443},
      {"::1", "::1", 443}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char host[64];
    uint16_t port;
    assert_int_equal(pubsub_endpoint_parse(cases[i].text, 443, host, sizeof host, &port, NULL),
                     PUBSUB_OK);
    assert_string_equal(host, cases[i].host);
    assert_int_equal(port, cases[i].port);
  }
}

/* What would break a header, an error's text, or means something else than is meant. */
static void what_is_refused(void **state) {
  static const char *const bad[] = {
      "",          ":1",        "host:",      "host:0",    "host:65536",  "host:1x", "host:+1",
      "host: 1",   "ho st",     "host/path",  "https://h", "[::1",        "[::1]x",  "[]:1",
      "h\r\nx: y", "user@host", "host?query", "host#part", "caf\xc3\xa9", "h\\h",    "\"h\""};
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char host[64];
    uint16_t port;
    struct pubsub_error error = {0};
    assert_int_equal(pubsub_endpoint_parse(bad[i], 443, host, sizeof host, &port, &error),
                     PUBSUB_E_INVALID);
    assert_non_null(strstr(error.text, "is not of the form"));
  }
}

static void a_name_fits_or_is_refused(void **state) {
  char text[64], host[16];
  uint16_t port;
  (void)state;
  memset(text, 'a', sizeof text);
  for (size_t len = 1; len < sizeof text; len++) {
    text[len] = '\0';
    bool good = pubsub_endpoint_parse(text, 443, host, sizeof host, &port, NULL) == PUBSUB_OK;
    assert_int_equal(good, len < sizeof host);
    if (good) assert_string_equal(host, text);
    text[len] = 'a';
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_people_write),
                                     cmocka_unit_test(what_is_refused),
                                     cmocka_unit_test(a_name_fits_or_is_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
