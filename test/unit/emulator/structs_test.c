#include "json_text.h"

#include "google/protobuf/struct.pb-c.h"
#include "json/structs.h"

static const ProtobufCMessageDescriptor *structure = &google__protobuf__struct__descriptor;

static void there_and_back(void **state) {
  (void)state;
  assert_true(structs_are(structure));
  json_text_turn(structure, "{}", NULL);
  json_text_turn(structure,
                 "{\"a\":1.5,\"b\":[true,false,null,\"x\",[],{}],\"c\":{\"d\":{\"e\":-1}}}", NULL);
  json_text_turn(&google__protobuf__list_value__descriptor, "[1,[2]]", NULL);
  json_text_turn(&google__protobuf__value__descriptor, "\"text\"", NULL);
  json_text_turn(&google__protobuf__value__descriptor, "null", NULL);
}

static void what_is_no_struct(void **state) {
  static const char *const texts[] = {"[]",          "1",     "{\"a\":}", "{\"a\":[1,}",
                                      "{\"a\":tru}", "{1:2}", "{\"a\":1"};
  (void)state;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    json_text_turn(structure, texts[i], "");
}

static void depth_is_bounded(void **state) {
  char text[400] = "{\"a\":";
  (void)state;
  for (int i = 0; i < 100; i++)
    strcat(text, "[");
  json_text_turn(structure, text, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back),
                                     cmocka_unit_test(what_is_no_struct),
                                     cmocka_unit_test(depth_is_bounded)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
