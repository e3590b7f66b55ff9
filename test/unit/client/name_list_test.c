#include "support.h"

#include "base/alloc.h"
#include "base/error.h"
#include "client/name_list.h"
#include <stdio.h>
#include <stdlib.h>

#define PAGES 4
#define NAMES_A_PAGE 3

/* Page n has the names n-0, n-1, n-2 (page 2 has none); the token of page n is "n". */
static enum pubsub_status fetch(struct pubsub_client *client, const char *parent,
                                const char *page_token, uint32_t timeout_ms,
                                struct pubsub_name_page *out, struct pubsub_error *error) {
  int page = atoi(page_token);
  char name[16] = "";
  (void)client;
  assert_string_equal(parent, "projects/p");
  assert_int_equal(timeout_ms, 7);
  enum pubsub_status status = PUBSUB_OK;
  for (int i = 0; i < NAMES_A_PAGE && page != 2 && status == PUBSUB_OK; i++) {
    snprintf(name, sizeof name, "%d-%d", page, i);
    status = pubsub_name_page_add(out, name, error);
  }
  snprintf(name, sizeof name, "%d", page + 1);
  if (status == PUBSUB_OK) {
    status = pubsub_name_page_end(out, page + 1 < PAGES ? name : "", error);
  }
  return status;
}

static enum pubsub_status refuse_the_second(struct pubsub_client *client, const char *parent,
                                            const char *page_token, uint32_t timeout_ms,
                                            struct pubsub_name_page *out,
                                            struct pubsub_error *error) {
  if (page_token[0]) return pubsub_error_set(error, PUBSUB_E_TIMEOUT, "too late");
  return fetch(client, parent, page_token, timeout_ms, out, error);
}

struct heard {
  char names[256];
  int count, most;
};

static bool hear(void *user, const char *name) {
  struct heard *heard = user;
  strncat(heard->names, name, sizeof heard->names - strlen(heard->names) - 1);
  strncat(heard->names, " ", sizeof heard->names - strlen(heard->names) - 1);
  return ++heard->count < heard->most;
}

static enum pubsub_status list(pubsub_name_page_fn *pages, struct heard *heard) {
  struct pubsub_error error;
  return pubsub_name_list(NULL, "projects/p", pages, hear, heard, 7, &error);
}

static void all_pages_in_order(void **state) {
  struct heard heard = {.most = 100};
  (void)state;
  assert_int_equal(list(fetch, &heard), PUBSUB_OK);
  assert_string_equal(heard.names, "0-0 0-1 0-2 1-0 1-1 1-2 3-0 3-1 3-2 ");
}

static void it_ends_where_no_more_are_wanted(void **state) {
  struct heard heard = {.most = 4};
  (void)state;
  assert_int_equal(list(fetch, &heard), PUBSUB_OK);
  assert_string_equal(heard.names, "0-0 0-1 0-2 1-0 ");
}

static void a_page_that_fails_ends_it(void **state) {
  struct heard heard = {.most = 100};
  (void)state;
  assert_int_equal(list(refuse_the_second, &heard), PUBSUB_E_TIMEOUT);
  assert_string_equal(heard.names, "0-0 0-1 0-2 ");
}

static void every_allocation_may_fail(void **state) {
  enum pubsub_status status = PUBSUB_E_NOMEM;
  (void)state;
  for (uint64_t i = 1; status != PUBSUB_OK; i++) {
    struct heard heard = {.most = 100};
    pubsub_alloc_fail_after(i);
    status = list(fetch, &heard);
    pubsub_alloc_fail_after(0);
    assert_true(status == PUBSUB_OK || status == PUBSUB_E_NOMEM);
    assert_int_equal(pubsub_alloc_live(), 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(all_pages_in_order, no_leaks),
      cmocka_unit_test_teardown(it_ends_where_no_more_are_wanted, no_leaks),
      cmocka_unit_test_teardown(a_page_that_fails_ends_it, no_leaks),
      cmocka_unit_test_teardown(every_allocation_may_fail, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
