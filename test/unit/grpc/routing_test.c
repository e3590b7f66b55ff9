#include "support.h"

#include "grpc/routing.h"
#include "base/alloc.h"

static void routing_header_is_escaped(void **state) {
  (void)state;
  char *header = pubsub_routing_header("topic", pubsub_view_str("projects/p/topics/a+b"));
  assert_string_equal(header, "topic=projects%2Fp%2Ftopics%2Fa%2Bb");
  pubsub_free(header);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(routing_header_is_escaped, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
