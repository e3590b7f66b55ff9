/* Rows of JSON: the answers of Spark 3.5's from_json, each of them taken from there. */
#include "payload_text.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct case_of {
  const char *payload, *row;
};

static void check(const char *schema, const struct case_of *cases, size_t count) {
  for (size_t i = 0; i < count; i++) {
    char text[4096];
    payload_text(schema, cases[i].payload, strlen(cases[i].payload), text, sizeof text);
    if (strcmp(text, cases[i].row) != 0) printf("%s\n", cases[i].payload);
    assert_string_equal(text, cases[i].row);
  }
}
#define CHECK(schema, cases) check(schema, cases, sizeof cases / sizeof *cases)

static void whole_payloads(void **state) {
  static const struct case_of cases[] = {
      {"", "null"},
      {" \n", "null"},
      {"{}", "{a=null _c=null}"},
      {"{\"a\":1} trailing", "{a=1 _c=null}"},
      {"null", "{a=null _c=\"null\"}"},
      {"[{\"a\":1}]", "{a=null _c=\"[{\"a\":1}]\"}"},
      {"{\"a\":1", "{a=null _c=\"{\"a\":1\"}"},
      {"{\"a\":\"x\"}", "{a=null _c=\"{\"a\":\"x\"}\"}"},
      {"{\"A\":1,\"b\":2}", "{a=null _c=null}"},
      {"{\"_c\":1}", "{a=null _c=null}"},
      {"{\"a\":1,\"a\":2}", "{a=2 _c=null}"},
      {"{\"a\":1,\"a\":\"x\"}", "{a=1 _c=\"{\"a\":1,\"a\":\"x\"}\"}"},
      {"{\"a\":1,\"a\":null}", "{a=null _c=null}"},
  };
  (void)state;
  CHECK("a INT, _c STRING", cases);
}

static void numbers_and_texts(void **state) {
  static const struct case_of cases[] = {
      {"{\"y\":200,\"d\":\"NaN\",\"f\":1.1,\"n\":\"1,234.505\",\"s\":1.50,\"b\":true}",
       "{y=-56 d=nan f=1.10000002 n=123451 s=\"1.5\" b=true x=null}"},
      {"{\"y\":256,\"d\":\"\",\"f\":\"1\",\"n\":1e9,\"s\":{ \"k\": [1] },\"b\":\"true\"}",
       "{y=null d=null f=null n=null s=\"{\"k\":[1]}\" b=null x=null}"},
      {"{\"s\":\"\\ud800\",\"x\":\"YQ==\"}", "{y=null d=null f=null n=null s=\"?\" b=null x=x61}"},
      {"{\"d\":-0,\"f\":-0.0,\"n\":-0.005,\"s\":null}",
       "{y=null d=0 f=-0 n=-1 s=null b=null x=null}"},
  };
  (void)state;
  CHECK("y TINYINT, d DOUBLE, f FLOAT, n DECIMAL(8,2), s STRING, b BOOLEAN, x BINARY", cases);
}

static void times(void **state) {
  static const struct case_of cases[] = {
      {"{\"d\":\"1970-01-02\",\"t\":\"1970-01-01T00:00:01.5Z\",\"n\":\"1970-01-01 00:00:02\"}",
       "{d=1 t=1500000 n=2000000}"},
      {"{\"d\":\"16000\",\"t\":3,\"n\":3}", "{d=5124352 t=3000000 n=null}"},
      {"{\"d\":\"1970-01-02GMT\",\"t\":\"1970-01-01T00:00:00GMT+01:00\",\"n\":\"x\"}",
       "{d=1 t=-3600000000 n=null}"},
      {"{\"d\":1,\"t\":9223372036854775807}", "{d=null t=-1000000 n=null}"},
  };
  (void)state;
  CHECK("d DATE, t TIMESTAMP, n TIMESTAMP_NTZ", cases);
}

static void nested_values(void **state) {
  static const struct case_of cases[] = {
      {"{\"l\":[1,null,3],\"m\":{\"k\":1,\"k\":2},\"s\":{\"x\":1,\"y\":\"z\"}}",
       "{l=[1 null 3] m={\"k\"=1 \"k\"=2} s={x=1 y=\"z\"}}"},
      {"{\"l\":[\"x\",2],\"m\":{\"k\":\"x\",\"j\":2},\"s\":{\"x\":\"q\",\"y\":\"z\"}}",
       "{l=null m=null s={x=null y=\"z\"}}"},
      {"{\"l\":{},\"m\":[],\"s\":3}", "{l=null m=null s=null}"},
      {"{\"s\":{\"x\":tru},\"l\":[1]}", "{l=null m=null s=null}"},
      {"{\"l\":[1],\"s\":{\"x\":tru}}", "{l=[1] m=null s=null}"},
      {"{\"l\":[1,2],\"l\":[3],\"s\":{\"y\":\"a\"},\"s\":{\"y\":\"b\",\"y\":\"c\"}}",
       "{l=[3] m=null s={x=null y=\"c\"}}"},
  };
  (void)state;
  CHECK("l ARRAY<INT>, m MAP<STRING, INT>, s STRUCT<x: INT, y: STRING>", cases);
}

/* A value that does not fit leaves the reader within its array: what follows is read as fields. */
static void an_array_is_left_in_its_middle(void **state) {
  static const struct case_of cases[] = {
      {"{\"a\":[\"x\",{\"b\":7}],\"c\":1}", "{a=null b=null c=1}"},
      {"{\"a\":[\"x\"],\"b\":1,\"c\":2}", "{a=null b=1 c=2}"},
      {"{\"a\":[nulx,1],\"b\":1}", "{a=null b=1 c=null}"},
      {"{\"b\":1,\"a\":[\xf7ull,1],\"b\":2}", "{a=null b=null c=null}"},
  };
  (void)state;
  CHECK("a ARRAY<INT>, b INT, c INT", cases);
}

static void bytes_that_are_no_text_are_replaced(void **state) {
  static const struct case_of cases[] = {
      {"{\"a\":\"x\xff\xed\xa0\x80y\"}", "{a=\"x\xef\xbf\xbd\xef\xbf\xbdy\" _c=null}"},
      {"\xff", "{a=null _c=\"\xff\"}"},
      {"\xef\xbb\xbf{}", "{a=null _c=\"\xef\xbb\xbf{}\"}"},
  };
  (void)state;
  CHECK("a STRING, _c STRING", cases);
}

static void hostile_payloads_cost_no_more_than_their_length(void **state) {
  size_t len = 10 << 20;
  char *payload = malloc(len), text[256];
  (void)state;
  assert_non_null(payload);
  memset(payload, '[', len);
  payload_text("a INT, b STRING", payload, len, text, sizeof text);
  assert_string_equal(text, "{a=null b=null}");
  memcpy(payload, "{\"b\":", 5);
  payload_text("a INT, b STRING", payload, len, text, sizeof text);
  assert_string_equal(text, "{a=null b=null}");
  memset(payload + 5, '1', len - 5);
  payload_text("a INT, b STRING", payload, len, text, sizeof text);
  assert_string_equal(text, "{a=null b=null}");
  size_t fields = (len - 2) / 6; /* more than a million times the same one */
  for (size_t i = 0; i < fields; i++)
    memcpy(payload + 1 + 6 * i, i ? ",\"a\":1" : " \"a\":1", 6);
  payload[1 + 6 * fields] = '}';
  payload_text("a INT, b STRING", payload, len, text, sizeof text);
  assert_string_equal(text, "{a=1 b=null}");
  free(payload);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(whole_payloads, no_leaks),
      cmocka_unit_test_teardown(numbers_and_texts, no_leaks),
      cmocka_unit_test_teardown(times, no_leaks),
      cmocka_unit_test_teardown(nested_values, no_leaks),
      cmocka_unit_test_teardown(an_array_is_left_in_its_middle, no_leaks),
      cmocka_unit_test_teardown(bytes_that_are_no_text_are_replaced, no_leaks),
      cmocka_unit_test_teardown(hostile_payloads_cost_no_more_than_their_length, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
