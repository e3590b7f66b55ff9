/* Schemas: which words make one, which do not and why, and how a field is found. */
#include "support.h"

#include "payload/schema.h"

static enum pubsub_status parse(const char *ddl, struct pubsub_schema *out,
                                struct pubsub_error *error) {
  return pubsub_schema_parse(pubsub_view_str(ddl), out, error);
}

static void every_type_has_its_words(void **state) {
  struct pubsub_schema s;
  (void)state;
  assert_int_equal(parse("a boolean, b TINYINT NOT NULL, c decimal(38,2) COMMENT 'it\\'s', `d ``e` "
                         "ARRAY<MAP<STRING, struct<x: timestamp_ntz, y INT>>>, f dec",
                         &s, NULL),
                   PUBSUB_OK);
  assert_int_equal(s.count, 5);
  assert_int_equal(s.children[2].precision, 38);
  assert_int_equal(s.children[2].scale, 2);
  assert_int_equal(s.children[3].name.len, 4);
  assert_memory_equal(s.children[3].name.ptr, "d `e", 4);
  assert_true(s.delicate && s.children[3].delicate && !s.children[0].delicate);
  const struct pubsub_schema *map = &s.children[3].children[0];
  assert_int_equal(map->children[1].children[0].type, PUBSUB_TYPE_TIMESTAMP_NTZ);
  assert_int_equal(s.children[4].precision, 10);
  assert_int_equal(pubsub_schema_nodes(&s), 11);
  pubsub_schema_clear(&s);
}

static void what_is_no_schema_is_named(void **state) {
  static const struct {
    const char *ddl, *text;
  } bad[] = {
      {"a", "a type"},
      {"a INT b INT", "','"},
      {"a INTERVAL", "INTERVAL: this type is not supported"},
      {"a ARRAY<INT", ">"},
      {"a MAP<INT, INT>", "a key of type INT"},
      {"a DECIMAL(39)", "a precision of 1 to 38"},
      {"a DECIMAL(5,6)", "a precision of 1 to 38"},
      {"`a INT", "a closing `"},
      {"a INT, a STRING", "'a' twice"},
      {"a INT,", "a field's name"},
      {"a STRUCT<>, b STRUCT", "<"},
  };
  char deep[2000] = "a ";
  struct pubsub_schema s;
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct pubsub_error error = {0};
    assert_int_equal(parse(bad[i].ddl, &s, &error), PUBSUB_E_INVALID);
    assert_non_null(strstr(error.text, bad[i].text));
    pubsub_schema_clear(&s);
  }
  for (int i = 0; i < 100; i++)
    strcat(deep, "ARRAY<");
  assert_int_equal(parse(deep, &s, NULL), PUBSUB_E_INVALID);
  pubsub_schema_clear(&s);
}

static void fields_are_found_by_their_exact_names(void **state) {
  struct pubsub_schema s;
  (void)state;
  assert_int_equal(parse("a INT, A INT, bb INT, c INT, d INT", &s, NULL), PUBSUB_OK);
  for (uint32_t hint = 0; hint < 7; hint++) {
    assert_int_equal(pubsub_schema_find(&s, pubsub_view_str("A"), hint), 1);
    assert_int_equal(pubsub_schema_find(&s, pubsub_view_str("d"), hint), 4);
    assert_int_equal(pubsub_schema_find(&s, pubsub_view_str("b"), hint), -1);
  }
  pubsub_schema_clear(&s);
  assert_int_equal(parse("", &s, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_schema_find(&s, pubsub_view_str("a"), 0), -1);
  pubsub_schema_clear(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(every_type_has_its_words, no_leaks),
      cmocka_unit_test_teardown(what_is_no_schema_is_named, no_leaks),
      cmocka_unit_test_teardown(fields_are_found_by_their_exact_names, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
