#include "support.h"

#include "rest/route.h"

/* The path of the method that answers; "405"; "404". */
static const char *find(const char *verb, const char *path) {
  const struct route *route;
  switch (route_find(rest_routes, pubsub_view_str(verb), pubsub_view_str(path), &route)) {
  case ROUTE_FOUND:
    return route->path;
  case ROUTE_OTHER_VERB:
    return "405";
  default:
    return "404";
  }
}

static void routes_of_the_annotations(void **state) {
  static const struct {
    const char *verb, *path, *method;
  } cases[] = {
      {"PUT", "/v1/projects/p/topics/t", "/google.pubsub.v1.Publisher/CreateTopic"},
      {"GET", "/v1/projects/p/topics/t", "/google.pubsub.v1.Publisher/GetTopic"},
      {"GET", "/v1/projects/p/topics", "/google.pubsub.v1.Publisher/ListTopics"},
      {"POST", "/v1/projects/p/topics/t:publish", "/google.pubsub.v1.Publisher/Publish"},
      {"GET", "/v1/projects/a:b/topics/t", "/google.pubsub.v1.Publisher/GetTopic"},
      {"POST", "/v1/projects/p/schemas", "/google.pubsub.v1.SchemaService/CreateSchema"},
      {"POST", "/v1/projects/p/schemas:validate", "/google.pubsub.v1.SchemaService/ValidateSchema"},
      {"GET", "/v1/projects/p/topics/t:getIamPolicy", "/google.iam.v1.IAMPolicy/GetIamPolicy"},
      {"POST", "/v1/projects/p/topics/t:setIamPolicy", "/google.iam.v1.IAMPolicy/SetIamPolicy"},
      {"POST", "/v1/projects/p/topics/t", "405"},
      {"GET", "/v1/projects/p/topics/t:publish", "405"},
      {"GET", "/v1/projects/p/topics/", "404"},
      {"GET", "/v1/projects//topics", "404"},
      {"GET", "/v1/projects/p/topics/t/u", "404"},
      {"GET", "/v1/projects/p/topics/t:other", "404"},
      {"GET", "/v1", "404"},
      {"GET", "/", "404"},
      {"GET", "", "404"},
      {"GET", "//v1/projects/p/topics", "404"},
      {"POST", "/v1/:setIamPolicy", "404"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_string_equal(find(cases[i].verb, cases[i].path), cases[i].method);
}

static const char *variable(const char *verb, const char *path) {
  static struct pubsub_buf text;
  const struct route *route;
  assert_int_equal(route_find(rest_routes, pubsub_view_str(verb), pubsub_view_str(path), &route),
                   ROUTE_FOUND);
  return route_variable(route, 0, pubsub_view_str(path), &text) ? (const char *)text.ptr : "!";
}

static void variables(void **state) {
  (void)state;
  assert_string_equal(variable("GET", "/v1/projects/p/topics/t"), "projects/p/topics/t");
  assert_string_equal(variable("GET", "/v1/projects/p/topics"), "projects/p");
  assert_string_equal(variable("POST", "/v1/projects/p/topics/t:publish"), "projects/p/topics/t");
  assert_string_equal(variable("POST", "/v1/projects/p/schemas:validate"), "projects/p");
  assert_string_equal(variable("GET", "/v1/projects/p/topics/a%2Bb%25"), "projects/p/topics/a+b%");
  assert_string_equal(variable("GET", "/v1/projects/p/topics/a%2Fb"), "projects/p/topics/a%2Fb");
  assert_string_equal(variable("POST", "/v1/projects/p/topics/t:setIamPolicy"),
                      "projects/p/topics/t");
  assert_string_equal(variable("GET", "/v1/projects/p/topics/t:getIamPolicy"),
                      "projects/p/topics/t");
}

static void what_is_badly_encoded(void **state) {
  (void)state;
  assert_string_equal(variable("GET", "/v1/projects/p/topics/a%2"), "!");
  assert_string_equal(variable("GET", "/v1/projects/p/topics/a%zz"), "!");
  assert_string_equal(variable("GET", "/v1/projects/p/topics/a%00b"), "!");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(routes_of_the_annotations),
                                     cmocka_unit_test(variables),
                                     cmocka_unit_test(what_is_badly_encoded)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
