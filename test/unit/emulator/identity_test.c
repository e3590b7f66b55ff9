#include "support.h"

#include "base/alloc.h"
#include "push/identity.h"

static void a_token_has_three_parts(void **state) {
  struct identity identity = {0};
  (void)state;
  char *token = identity_token(&identity, "a@b", "audience", 1000);
  assert_non_null(token);
  char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL;
  assert_non_null(second);
  assert_int_equal(strlen(second + 1), 342); /* 256 bytes of signature */
  assert_int_equal(
      strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."),
      strlen(token));
  const char *key = identity_public_key(&identity);
  assert_non_null(key);
  assert_int_equal(strncmp(key, "-----BEGIN PUBLIC KEY-----", 26), 0);
  pubsub_free(token);
  identity_clear(&identity);
}

static void without_memory(void **state) {
  (void)state;
  char *token = NULL;
  for (uint64_t i = 1; !token; i++) {
    struct identity identity = {0};
    pubsub_alloc_fail_after(i);
    token = identity_token(&identity, "a@b", "audience", 1000);
    pubsub_alloc_fail_after(0);
    identity_clear(&identity);
  }
  pubsub_free(token);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_teardown(a_token_has_three_parts, no_leaks),
                                     cmocka_unit_test_teardown(without_memory, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
