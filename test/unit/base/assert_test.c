/* A promise that does not hold ends the process and says which one; one that holds costs
 * nothing. */
#include "support.h"

#include "base/assert.h"
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int evaluated;
static int count(int value) {
  evaluated++;
  return value;
}

static void what_holds_goes_on(void **state) {
  (void)state;
  evaluated = 0;
  PUBSUB_ASSERT(count(1) == 1);
#ifdef PUBSUB_ASSERTIONS
  assert_int_equal(evaluated, 1);
#else
  assert_int_equal(evaluated, 0);
#endif
}

static void what_does_not_hold_is_named(void **state) {
  int ends[2], status;
  char text[300] = "";
  (void)state;
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  if (child == 0) {
    signal(SIGABRT, SIG_DFL);
    dup2(ends[1], 2);
    pubsub_assert_failed("one == 2", "file.c", 7);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  assert_true(read(ends[0], text, sizeof text - 1) > 0);
  assert_non_null(strstr(text, "file.c:7: this does not hold: one == 2"));
  close(ends[0]);
  close(ends[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_holds_goes_on),
                                     cmocka_unit_test(what_does_not_hold_is_named)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
