/* Lists: page after page, each name once, until the caller has enough, the pages end, or one
 * fails. */
#include "support.h"

#include "base/alloc.h"
#include "base/error.h"
#include "client/name_list.h"
#include <stdio.h>

#define PAGES 4
#define NAMES_A_PAGE 3

static int failing_page = -1, circling_page = -1, fetched;

/* Page i has the names 3i, 3i + 1, 3i + 2; its token is i. */
static enum pubsub_status fetch(struct pubsub_client *client, const char *parent,
                                const char *page_token, uint32_t timeout_ms,
                                struct pubsub_name_page *out, struct pubsub_error *error) {
  int page = page_token[0] ? page_token[0] - '0' : 0;
  char text[16];
  enum pubsub_status status = PUBSUB_OK;
  (void)client;
  fetched++;
  assert_string_equal(parent, "projects/p");
  assert_int_equal(timeout_ms, 99);
  if (page == failing_page)
    return pubsub_error_set_grpc(error, PUBSUB_GRPC_PERMISSION_DENIED, "no");
  for (int i = 0; i < NAMES_A_PAGE && status == PUBSUB_OK; i++) {
    snprintf(text, sizeof text, "%d", page * NAMES_A_PAGE + i);
    status = pubsub_name_page_add(out, text, error);
  }
  if (status != PUBSUB_OK) return status;
  snprintf(text, sizeof text, "%d", page == circling_page ? page : page + 1);
  return pubsub_name_page_end(out, page == PAGES - 1 ? "" : text, error);
}

struct names {
  int count, limit;
};

static bool on_name(void *user, const char *name) {
  struct names *names = user;
  char expected[16];
  snprintf(expected, sizeof expected, "%d", names->count);
  assert_string_equal(name, expected);
  return ++names->count != names->limit;
}

static enum pubsub_status list(struct names *names) {
  fetched = 0;
  return pubsub_name_list(NULL, "projects/p", fetch, on_name, names, 99, NULL);
}

static void every_page(void **state) {
  struct names names = {0};
  (void)state;
  assert_int_equal(list(&names), PUBSUB_OK);
  assert_int_equal(names.count, PAGES * NAMES_A_PAGE);
  assert_int_equal(fetched, PAGES);
}

static void until_the_caller_has_enough(void **state) {
  struct names names = {.limit = 4};
  (void)state;
  assert_int_equal(list(&names), PUBSUB_OK);
  assert_int_equal(names.count, 4);
  assert_int_equal(fetched, 2);
}

static void until_a_page_fails(void **state) {
  struct names names = {0};
  (void)state;
  failing_page = 2;
  assert_int_equal(list(&names), PUBSUB_E_GRPC);
  failing_page = -1;
  assert_int_equal(names.count, 2 * NAMES_A_PAGE);
}

/* A server that leads back to the page it has just given would keep the caller for ever. */
static void until_a_page_follows_itself(void **state) {
  struct names names = {.limit = 30};
  (void)state;
  circling_page = 2;
  assert_int_equal(list(&names), PUBSUB_E_PROTOCOL);
  circling_page = -1;
  assert_int_equal(names.count, 2 * NAMES_A_PAGE);
  assert_int_equal(fetched, 3);
}

static void without_memory(void **state) {
  int failed = 0;
  (void)state;
  for (uint64_t nth = 1; nth < 10; nth++) {
    struct names names = {0};
    pubsub_alloc_fail_after(nth);
    failed += list(&names) == PUBSUB_E_NOMEM;
    pubsub_alloc_fail_after(0);
  }
  assert_true(failed > 4);
}

#define TEST(name) cmocka_unit_test_teardown(name, no_leaks)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(every_page), TEST(until_the_caller_has_enough),
                                     TEST(until_a_page_fails), TEST(until_a_page_follows_itself),
                                     TEST(without_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
