#include "support.h"

#include "auth/credentials.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct pubsub_credentials credentials;
static char folder[64];

#define USER(id)                                                                                   \
  "{\"type\":\"authorized_user\",\"client_id\":\"" id                                              \
  "\",\"client_secret\":\"b\",\"refresh_token\":\"c\"}"

static void write_file(const char *path, const char *content) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(content, file);
  fclose(file);
}

static int set_up(void **state) {
  (void)state;
  strcpy(folder, "/tmp/credentials-test-XXXXXX");
  assert_non_null(mkdtemp(folder));
  unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
  unsetenv("GCE_METADATA_HOST");
  return setenv("CLOUDSDK_CONFIG", folder, 1);
}

static int tear_down(void **state) {
  char path[200];
  static const char *const names[] = {"named.json", "application_default_credentials.json"};
  for (size_t i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    unlink(path);
  }
  rmdir(folder);
  pubsub_credentials_clear(&credentials);
  memset(&credentials, 0, sizeof credentials);
  return no_leaks(state);
}

static void find(const char *file, enum pubsub_credentials_kind kind, const char *id) {
  pubsub_credentials_clear(&credentials);
  assert_int_equal(pubsub_credentials_find(file, &credentials, NULL), PUBSUB_OK);
  assert_int_equal(credentials.kind, kind);
  if (id) assert_string_equal((char *)credentials.client_id.ptr, id);
}

static void the_nearest_is_taken(void **state) {
  char named[200], left[200];
  (void)state;
  snprintf(named, sizeof named, "%s/named.json", folder);
  snprintf(left, sizeof left, "%s/application_default_credentials.json", folder);
  find(NULL, PUBSUB_CREDENTIALS_METADATA, NULL);
  assert_string_equal(credentials.url.host, "169.254.169.254");
  setenv("GCE_METADATA_HOST", "127.0.0.1:99", 1);
  find(NULL, PUBSUB_CREDENTIALS_METADATA, NULL);
  assert_int_equal(credentials.url.port, 99);
  write_file(left, USER("left"));
  find(NULL, PUBSUB_CREDENTIALS_USER, "left");
  write_file(named, USER("named"));
  setenv("GOOGLE_APPLICATION_CREDENTIALS", named, 1);
  find(NULL, PUBSUB_CREDENTIALS_USER, "named");
  find(left, PUBSUB_CREDENTIALS_USER, "left");
}

static void a_service_account(void **state) {
  (void)state;
  assert_int_equal(
      pubsub_credentials_read(
          pubsub_view_str("{\"type\":\"service_account\",\"client_email\":\"a@b\","
                          "\"private_key\":\"-----BEGIN\\nx\",\"private_key_id\":\"k\","
                          "\"token_uri\":\"https://tokens.example:444/t\"}"),
          "file", &credentials, NULL),
      PUBSUB_OK);
  assert_int_equal(credentials.kind, PUBSUB_CREDENTIALS_SERVICE_ACCOUNT);
  assert_string_equal((char *)credentials.key.ptr, "-----BEGIN\nx");
  assert_string_equal(credentials.token_uri, "https://tokens.example:444/t");
  assert_int_equal(credentials.url.port, 444);
}

static void what_is_missing_is_named(void **state) {
  struct pubsub_error error = {0};
  (void)state;
  assert_int_equal(pubsub_credentials_find("/none/such", &credentials, &error), PUBSUB_E_INVALID);
  assert_non_null(strstr(error.text, "'/none/such'"));
  assert_int_equal(pubsub_credentials_find("/tmp", &credentials, &error), PUBSUB_E_INVALID);
  assert_non_null(strstr(error.text, "cannot read the credentials '/tmp'"));
  assert_int_equal(pubsub_credentials_find("/dev/zero", &credentials, &error), PUBSUB_E_INVALID);
  assert_non_null(strstr(error.text, "'/dev/zero' have more than 65536 bytes"));
  assert_int_equal(pubsub_credentials_read(pubsub_view_str("{}"), "file", &credentials, &error),
                   PUBSUB_E_INVALID);
  assert_string_equal(error.text, "the credentials in 'file' lack 'type'");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(the_nearest_is_taken), TEST(a_service_account),
                                     TEST(what_is_missing_is_named)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
