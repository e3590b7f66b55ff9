#include "support.h"

#include "api/names.h"
#include <stdio.h>
#include <string.h>

static void names_that_are_good(void **state) {
  static const char *const good[] = {"projects/p/topics/abc", "projects/a.b:c/topics/A-_.~+%9"};
  char longest[300] = "projects/p/topics/";
  (void)state;
  for (size_t i = 0; i < sizeof good / sizeof *good; i++)
    assert_null(name_problem(good[i], "topics"));
  memset(longest + 18, 'x', 255);
  assert_null(name_problem(longest, "topics"));
  longest[18 + 255] = 'x';
  assert_non_null(strstr(name_problem(longest, "topics"), "3 to 255"));
}

static void names_that_are_not(void **state) {
  static const struct {
    const char *name, *says;
  } bad[] = {{"", "projects/PROJECT"},
             {"topic", "projects/PROJECT"},
             {"projects/p/topics", "projects/PROJECT"},
             {"projects//topics/abc", "projects/PROJECT"},
             {"projects/p/subscriptions/abc", "projects/PROJECT"},
             {"projects/p/topics/abc/def", "projects/PROJECT"},
             {"projects/p/topics/", "3 to 255"},
             {"projects/p/topics/ab", "3 to 255"},
             {"projects/p/topics/1abc", "begins with a letter"},
             {"projects/p/topics/googabc", "goog"},
             {"projects/p/topics/a b", "letters, digits"},
             {"projects/p/topics/aäb", "letters, digits"}};
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    const char *problem = name_problem(bad[i].name, "topics");
    assert_non_null(problem);
    assert_non_null(strstr(problem, bad[i].says));
  }
}

static void projects(void **state) {
  static const char *const bad[] = {
      "", "p", "projects", "projects/", "projects/p/", "projects/p/topics", "xprojects/p"};
  (void)state;
  assert_null(project_problem("projects/p"));
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_non_null(project_problem(bad[i]));
}

static void assigned_names_are_good(void **state) {
  char name[100];
  (void)state;
  name_assign(name, sizeof name, "projects/p1/topics/abc", "subscriptions", 17);
  assert_string_equal(name, "projects/p1/subscriptions/subscriptions-17");
  assert_null(name_problem(name, "subscriptions"));
  assert_string_equal(name_last(name), "subscriptions-17");
  assert_string_equal(name_last("plain"), "plain");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_that_are_good),
      cmocka_unit_test(names_that_are_not),
      cmocka_unit_test(projects),
      cmocka_unit_test(assigned_names_are_good),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
