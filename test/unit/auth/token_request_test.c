#include "support.h"

#include "auth/token_request.h"
#include "base/alloc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pubsub_credentials credentials;
static struct pubsub_http_answer answer;

static int tear_down(void **state) {
  pubsub_credentials_clear(&credentials);
  pubsub_http_answer_clear(&answer);
  memset(&credentials, 0, sizeof credentials);
  memset(&answer, 0, sizeof answer);
  return no_leaks(state);
}

static void read_credentials(const char *text) {
  assert_int_equal(pubsub_credentials_read(pubsub_view_str(text), "file", &credentials, NULL),
                   PUBSUB_OK);
}

#define USER                                                                                       \
  "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"a+b/c\","                \
  "\"refresh_token\":\"1//x y\"}"

static void a_user_sends_a_form(void **state) {
  static const char form[] =
      "grant_type=refresh_token&client_id=id&client_secret=a%2Bb%2Fc&refresh_token=1%2F%2Fx%20y";
  struct pubsub_buf out = {0};
  char length[64];
  (void)state;
  read_credentials(USER);
  assert_int_equal(pubsub_token_request_write(&credentials, 1, &out, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_buf_append(&out, "", 1), PUBSUB_OK);
  const char *text = (const char *)out.ptr;
  snprintf(length, sizeof length, "\r\nContent-Length: %zu\r\n", strlen(form));
  assert_int_equal(strncmp(text, "POST /token HTTP/1.1\r\nHost: oauth2.googleapis.com:443\r\n", 54),
                   0);
  assert_non_null(strstr(text, length));
  assert_string_equal(strstr(text, "\r\n\r\n") + 4, form);
  pubsub_buf_clear(&out);
}

static enum pubsub_status read_answer(int status, const char *body, struct pubsub_buf *out_token,
                                      uint64_t *out_lifetime_s, struct pubsub_error *error) {
  answer.status = status;
  answer.body.len = 0;
  pubsub_buf_append(&answer.body, body, strlen(body));
  return pubsub_token_request_read(&credentials, &answer, out_token, out_lifetime_s, error);
}

static void answers(void **state) {
  struct pubsub_buf token = {0};
  struct pubsub_error error = {0};
  uint64_t lifetime_s = 0;
  (void)state;
  read_credentials(USER);
  assert_int_equal(read_answer(200, "{\"access_token\":\"ya29.x\",\"expires_in\":3599}", &token,
                               &lifetime_s, &error),
                   PUBSUB_OK);
  assert_string_equal((char *)token.ptr, "ya29.x");
  assert_int_equal(lifetime_s, 3599);
  assert_int_equal(
      read_answer(200, "{\"access_token\":\"x\",\"expires_in\":0}", &token, &lifetime_s, &error),
      PUBSUB_OK);
  assert_int_equal(lifetime_s, 1);
  assert_int_equal(read_answer(200, "<html>", &token, &lifetime_s, &error), PUBSUB_E_PROTOCOL);
  assert_int_equal(read_answer(400, "{\"error\":\"invalid_grant\"}", &token, &lifetime_s, &error),
                   PUBSUB_E_GRPC);
  assert_int_equal(error.grpc_code, PUBSUB_GRPC_UNAUTHENTICATED);
  assert_false(error.retryable);
  assert_non_null(strstr(error.text, "invalid_grant"));
  assert_int_equal(read_answer(503, "", &token, &lifetime_s, &error), PUBSUB_E_GRPC);
  assert_true(error.retryable);
  pubsub_buf_clear(&token);
}

static void a_key_that_cannot_sign(void **state) {
  struct pubsub_buf out = {0};
  struct pubsub_error error = {0};
  (void)state;
  read_credentials("{\"type\":\"service_account\",\"client_email\":\"a@b\",\"private_key\":\"no\","
                   "\"private_key_id\":\"k\"}");
  assert_int_equal(pubsub_token_request_write(&credentials, 1, &out, &error), PUBSUB_E_INVALID);
  assert_non_null(strstr(error.text, "no RSA key"));
  pubsub_buf_clear(&out);
}

static void without_memory(void **state) {
  struct pubsub_buf out = {0};
  int refused = 0;
  (void)state;
  for (uint64_t nth = 1; nth < 30; nth++) {
    pubsub_alloc_fail_after(nth);
    enum pubsub_status status =
        pubsub_credentials_read(pubsub_view_str(USER), "file", &credentials, NULL);
    if (status == PUBSUB_OK) status = pubsub_token_request_write(&credentials, 1, &out, NULL);
    pubsub_alloc_fail_after(0);
    assert_true(status == PUBSUB_OK || status == PUBSUB_E_NOMEM);
    refused += status != PUBSUB_OK;
    pubsub_credentials_clear(&credentials);
    pubsub_buf_wipe(&out);
  }
  assert_true(refused > 5);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(a_user_sends_a_form), TEST(answers),
                                     TEST(a_key_that_cannot_sign), TEST(without_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
