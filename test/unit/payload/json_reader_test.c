/* Tokens: those of JSON, what is malformed, and which tokens come behind an error. */
#include "support.h"

#include "payload/json_reader.h"
#include <stdio.h>
#include <stdlib.h>

static struct pubsub_json *json;

static int make(void **state) {
  (void)state;
  json = calloc(1, sizeof *json);
  return json ? 0 : -1;
}

static int unmake(void **state) {
  pubsub_json_clear(json);
  free(json);
  return no_leaks(state);
}

/* The tokens, a letter each: { } [ ] for structure, n a name, s a string, i an int, f a float, t
 * true and false, 0 null, ! an error, . the end. */
static void tokens(const char *text, uint32_t allow, size_t limit, char *out) {
  static const char letters[] = ".{}[]nsiftt0";
  size_t len = 0;
  pubsub_json_init(json, pubsub_view_str(text), allow);
  while (len < limit) {
    bool done = pubsub_json_next(json);
    out[len++] = done ? letters[json->token] : '!';
    if (done && json->token == PUBSUB_JSON_NONE) break;
  }
  out[len] = 0;
}

static void well_formed_and_not(void **state) {
  static const struct {
    const char *text, *tokens;
    uint32_t allow;
  } cases[] = {
      {"", ".", 0},
      {"{}", "{}.", 0},
      {" [ 1 , -2.5e+3,\"a\", true,false ,null ] ", "[ifstt0].", 0},
      {"{\"a\":{\"b\":[]},\"c\":1}", "{n{n[]}ni}.", 0},
      {"{'a':'b'}", "{ns}.", PUBSUB_ALLOW_SINGLE_QUOTES},
      {"{'a':1}", "{!", 0},
      {"{a$1:1}", "{ni}.", PUBSUB_ALLOW_UNQUOTED_NAMES},
      {"[007]", "[i].", PUBSUB_ALLOW_LEADING_ZEROS},
      {"[007]", "[!", 0},
      {"[NaN,Infinity,-INF,+Infinity]", "[ffff].", PUBSUB_ALLOW_NON_NUMERIC_NUMBERS},
      {"[NaN]", "[!", 0},
      {"[1,]", "[i!", 0},
      {"[,1]", "[!", 0},
      {"[1 2]", "[i!", 0},
      {"{\"a\" 1}", "{!", 0},
      {"{\"a\":}", "{!", 0},
      {"[1}", "[i!", 0},
      {"[tru]", "[!", 0},
      {"[truex]", "[!", 0},
      {"[1.]", "[!", 0},
      {"[1.e5]", "[!", 0},
      {"[1e]", "[!", 0},
      {"[-]", "[!", 0},
      {"[+1]", "[!", 0},
      {"[.5]", "[!", 0},
      {"[\"a", "[s!", 0},
      {"\xc3\xa9", "!", 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char out[64];
    tokens(cases[i].text, cases[i].allow, strlen(cases[i].tokens), out);
    assert_string_equal(out, cases[i].tokens);
  }
}

/* As Jackson 2.15 goes on: see its ReaderBasedJsonParser. */
static void it_goes_on_behind_an_error(void **state) {
  char out[16];
  (void)state;
  tokens("[1,tru,2]", 0, 5, out);
  assert_string_equal(out, "[i!i]");
  tokens("{\"a\":tru}", 0, 3, out);
  assert_string_equal(out, "{!."); /* the name has no value */
  tokens("[\"a\x01\",2]", 0, 4, out);
  assert_string_equal(out, "[s!!");
}

static void names_belong_to_what_starts_too(void **state) {
  (void)state;
  pubsub_json_init(json, pubsub_view_str("{\"a\":{\"b\":1}}"), 0);
  for (int i = 0; i < 3; i++)
    assert_true(pubsub_json_next(json));
  assert_int_equal(json->token, PUBSUB_JSON_START_OBJECT);
  assert_memory_equal(pubsub_json_name(json).ptr, "a", 1);
  assert_true(pubsub_json_next(json));
  assert_memory_equal(pubsub_json_name(json).ptr, "b", 1);
}

static void nesting_and_digits_have_an_end(void **state) {
  static char deep[1 << 20];
  (void)state;
  memset(deep, '[', sizeof deep - 1);
  pubsub_json_init(json, pubsub_view_str(deep), 0);
  for (int i = 0; i < PUBSUB_JSON_DEPTH; i++)
    assert_true(pubsub_json_next(json));
  for (int i = 0; i < 100; i++)
    assert_false(pubsub_json_next(json));
  memset(deep, '1', sizeof deep - 1);
  deep[0] = '[';
  pubsub_json_init(json, pubsub_view_str(deep), 0);
  assert_true(pubsub_json_next(json));
  assert_false(pubsub_json_next(json));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(well_formed_and_not, make, unmake),
      cmocka_unit_test_setup_teardown(it_goes_on_behind_an_error, make, unmake),
      cmocka_unit_test_setup_teardown(names_belong_to_what_starts_too, make, unmake),
      cmocka_unit_test_setup_teardown(nesting_and_digits_have_an_end, make, unmake),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
