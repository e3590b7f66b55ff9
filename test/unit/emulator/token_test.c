#include "support.h"

#include "rpc/token.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char *problem(const struct token *token, const char *authorization) {
  return token_problem(token, pubsub_view_str(authorization));
}

static void without_a_token_every_call_is_welcome(void **state) {
  struct token token = {0};
  (void)state;
  assert_null(problem(&token, ""));
  assert_null(problem(&token, "Bearer x"));
  assert_int_equal(token_set(&token, "x", NULL), PUBSUB_OK);
  assert_int_equal(token_set(&token, "", NULL), PUBSUB_OK);
  assert_null(problem(&token, ""));
  token_clear(&token);
}

static void only_the_token_itself_is_welcome(void **state) {
  static const char *const bad[] = {"",
                                    "Bearer",
                                    "Bearer ",
                                    "Bearer secre",
                                    "Bearer secrets",
                                    "bearer secret",
                                    "Basic secret",
                                    "secret"};
  struct token token = {0};
  (void)state;
  assert_int_equal(token_set(&token, "secret", NULL), PUBSUB_OK);
  assert_null(problem(&token, "Bearer secret"));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const char *text = problem(&token, bad[i]);
    assert_non_null(text);
    assert_null(strstr(text, "secret"));
  }
  token_clear(&token);
}

static void a_file_gives_its_first_line(void **state) {
  char path[] = "/tmp/pubsub-token-XXXXXX";
  struct token token = {0};
  int fd = mkstemp(path);
  (void)state;
  assert_true(fd >= 0 && write(fd, "from-file\r\nmore\n", 16) == 16);
  close(fd);
  assert_int_equal(token_require(&token, path, NULL), PUBSUB_OK);
  unlink(path);
  assert_null(problem(&token, "Bearer from-file"));
  assert_int_equal(token_require(&token, path, NULL), PUBSUB_OK); /* no file: the text itself */
  assert_non_null(problem(&token, "Bearer from-file"));
  token_clear(&token);
}

/* An unset variable or an empty file must not open the door to everyone. */
static void what_gives_no_whole_token_is_refused(void **state) {
  char path[] = "/tmp/pubsub-token-XXXXXX", text[5000];
  struct token token = {0};
  struct pubsub_error error = {0};
  int fd = mkstemp(path);
  (void)state;
  assert_int_equal(token_require(&token, "", &error), PUBSUB_E_INVALID);
  assert_int_equal(token_require(&token, path, &error), PUBSUB_E_INVALID);
  assert_non_null(strstr(error.text, path));
  memset(text, 's', sizeof text);
  assert_true(fd >= 0 && write(fd, text, sizeof text) == (ssize_t)sizeof text);
  close(fd);
  assert_int_equal(token_require(&token, path, &error), PUBSUB_E_INVALID);
  assert_null(strstr(error.text, "sss"));
  unlink(path);
  token_clear(&token);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(without_a_token_every_call_is_welcome),
      cmocka_unit_test(only_the_token_itself_is_welcome),
      cmocka_unit_test(a_file_gives_its_first_line),
      cmocka_unit_test(what_gives_no_whole_token_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
