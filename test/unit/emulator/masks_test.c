#include "json_text.h"

#include "json/masks.h"

static const ProtobufCMessageDescriptor *mask = &google__protobuf__field_mask__descriptor;

static void paths_are_of_the_proto(void **state) {
  (void)state;
  Google__Protobuf__FieldMask *read =
      (Google__Protobuf__FieldMask *)json_text_read("\"labels,pushConfig.pushEndpoint\"", mask);
  assert_non_null(read);
  assert_int_equal(read->n_paths, 2);
  assert_string_equal(read->paths[0], "labels");
  assert_string_equal(read->paths[1], "push_config.push_endpoint");
  google__protobuf__field_mask__free_unpacked(read, NULL);
}

static void there_and_back(void **state) {
  (void)state;
  json_text_turn(mask, "\"labels,pushConfig.pushEndpoint\"", NULL);
  json_text_turn(mask, "\"push_config.push_endpoint\"", "\"pushConfig.pushEndpoint\"");
  json_text_turn(mask, "\"\"", NULL);
  json_text_turn(mask, "\"a,\"", NULL);
  json_text_turn(mask, "\"a_1,b.c_d\"", "\"a_1,b.cD\"");
  json_text_turn(mask, "[\"labels\"]", "");
}

static void what_has_no_two_forms(void **state) {
  static const char *const texts[] = {"\"Labels\"", "\"a_B\"", "\"a__b\"", "\"_a\"",
                                      "\"a_\"",     "\"a.B\"", "\"a._b\""};
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    json_text_turn(mask, texts[i], "");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(paths_are_of_the_proto),
                                     cmocka_unit_test(there_and_back),
                                     cmocka_unit_test(what_has_no_two_forms)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
