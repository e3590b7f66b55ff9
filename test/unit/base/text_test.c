/* Text of URLs and headers: what is written, what is read back, and that no array is left. */
#include "support.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"

static struct pubsub_view view(const char *text) {
  return pubsub_view_str(text);
}

static void percent_encoding_keeps_what_is_unreserved(void **state) {
  char out[3 * 16];
  (void)state;
  size_t len = pubsub_percent_encode(view("aZ0-_.~ /%\xff"), out);
  assert_int_equal(len, 19);
  assert_memory_equal(out, "aZ0-_.~%20%2F%25%FF", len);
}

static void percent_decoding_refuses_what_is_cut(void **state) {
  static const char *const bad[] = {"%", "%4", "a%", "%g0", "%0g", "50%"};
  uint8_t out[8];
  size_t len;
  (void)state;
  assert_true(pubsub_percent_decode(view("a%41%2fb"), out, sizeof out, &len));
  assert_int_equal(len, 4);
  assert_memory_equal(out, "aA/b", 4);
  assert_true(pubsub_percent_decode(view(""), out, 0, &len));
  assert_int_equal(len, 0);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(pubsub_percent_decode(view(bad[i]), out, sizeof out, &len));
  assert_true(pubsub_percent_decode(view("12345678"), out, 8, &len));
  assert_false(pubsub_percent_decode(view("12345678"), out, 7, &len));
}

static void percent_decoding_for_people_never_fails(void **state) {
  char out[6];
  (void)state;
  pubsub_percent_decode_cut(view("a%zz%"), out, sizeof out);
  assert_string_equal(out, "a%zz%");
  pubsub_percent_decode_cut(view("%41%00%42"), out, sizeof out);
  assert_string_equal(out, "A B");
  pubsub_percent_decode_cut(view("123456789"), out, sizeof out);
  assert_string_equal(out, "12345");
}

static void base64_is_that_of_the_rfc(void **state) {
  static const char *const cases[][3] = {{"", "", ""},
                                         {"f", "Zg==", "Zg"},
                                         {"fo", "Zm8=", "Zm8"},
                                         {"foo", "Zm9v", "Zm9v"},
                                         {"foob", "Zm9vYg==", "Zm9vYg"},
                                         {"fooba", "Zm9vYmE=", "Zm9vYmE"}};
  char out[16];
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_true(pubsub_base64_encode(view(cases[i][0]), true, out, sizeof out));
    assert_string_equal(out, cases[i][1]);
    assert_true(pubsub_base64_encode(view(cases[i][0]), false, out, sizeof out));
    assert_string_equal(out, cases[i][2]);
  }
}

/* Every length up to where it no longer fits, into a block that ends there. */
static void base64_stays_within_its_array(void **state) {
  uint8_t in[64] = {0};
  (void)state;
  for (size_t len = 0; len < sizeof in; len++) {
    for (size_t room = 0; room < 96; room++) {
      char *out = pubsub_alloc(room);
      bool fits = pubsub_base64_encode(pubsub_view_of(in, len), true, out, room);
      assert_int_equal(fits, PUBSUB_BASE64_CHARS(len) < room);
      if (fits) assert_int_equal(strlen(out), PUBSUB_BASE64_CHARS(len));
      pubsub_free(out);
    }
  }
}

static void base64_reads_back_what_it_wrote(void **state) {
  struct pubsub_buf back = {0};
  struct pubsub_rng rng;
  uint8_t in[50];
  char out[80];
  (void)state;
  pubsub_rng_seed(&rng, 7);
  for (size_t len = 0; len <= sizeof in; len++) {
    for (size_t i = 0; i < len; i++)
      in[i] = (uint8_t)pubsub_rng_next(&rng);
    assert_true(pubsub_base64_encode(pubsub_view_of(in, len), len % 2, out, sizeof out));
    assert_int_equal(pubsub_base64_decode(view(out), &back), PUBSUB_OK);
    assert_int_equal(back.len, len);
    if (len) assert_memory_equal(back.ptr, in, len);
  }
  assert_int_equal(pubsub_base64_decode(view("-_8="), &back), PUBSUB_OK);
  assert_int_equal(back.len, 2);
  assert_memory_equal(back.ptr, "\xfb\xff", 2);
  assert_int_equal(pubsub_base64_decode(view("Zm9v!Zm9v"), &back), PUBSUB_OK);
  assert_int_equal(back.len, 3);
  pubsub_buf_clear(&back);
}

static void header_values_are_printable(void **state) {
  (void)state;
  assert_true(pubsub_text_is_header_value("spark-pubsub/0.1 (Spark 4.0)"));
  static const char *const bad[] = {"",     " a",   "a ",          "a\r\nb: c",
                                    "a\nb", "a\tb", "caf\xc3\xa9", "\x7f"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_false(pubsub_text_is_header_value(bad[i]));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(percent_encoding_keeps_what_is_unreserved, no_leaks),
      cmocka_unit_test_teardown(percent_decoding_refuses_what_is_cut, no_leaks),
      cmocka_unit_test_teardown(percent_decoding_for_people_never_fails, no_leaks),
      cmocka_unit_test_teardown(base64_is_that_of_the_rfc, no_leaks),
      cmocka_unit_test_teardown(base64_stays_within_its_array, no_leaks),
      cmocka_unit_test_teardown(base64_reads_back_what_it_wrote, no_leaks),
      cmocka_unit_test_teardown(header_values_are_printable, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
