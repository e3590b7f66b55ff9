#include "support.h"

#include "google/pubsub/v1/pubsub.pb-c.h"
#include "pub/retry.h"
#include "pub/row_block.h"
#include <stdio.h>
#include <stdlib.h>

static struct pubsub_view bytes_of(const void *ptr, size_t len) {
  return (struct pubsub_view){ptr, len};
}

/* Each limit of the service, at it and one beyond. */
static void limits_of_a_message(void **state) {
  static uint8_t big[10000100];
  struct pubsub_attribute attributes[101];
  char keys[101][8];
  size_t bytes;
  (void)state;
  memset(big, 'x', sizeof big);
  for (size_t i = 0; i < 101; i++) {
    snprintf(keys[i], sizeof keys[i], "k%zu", i % 1000);
    attributes[i] = (struct pubsub_attribute){bytes_of(keys[i], strlen(keys[i])), bytes_of(big, 1)};
  }
  struct pubsub_attribute longest = {bytes_of(big, 256), bytes_of(big, 1024)};
  struct pubsub_attribute key_too_long = {bytes_of(big, 257), bytes_of(big, 1)};
  struct pubsub_attribute value_too_long = {bytes_of(big, 1), bytes_of(big, 1025)};
  struct pubsub_attribute not_text = {bytes_of(big, 1), bytes_of("\xff", 1)};
  struct pubsub_attribute reserved = {bytes_of("googx", 5), bytes_of(big, 1)};
  const struct {
    struct pubsub_message message;
    enum pubsub_status status;
  } cases[] = {
      {{.data = bytes_of(big, 1)}, PUBSUB_OK},
      {{.data = bytes_of(NULL, 0)}, PUBSUB_E_LIMIT},
      {{.attributes = attributes, .attribute_count = 1}, PUBSUB_OK},
      {{.attributes = attributes, .attribute_count = 100}, PUBSUB_OK},
      {{.attributes = attributes, .attribute_count = 101}, PUBSUB_E_LIMIT},
      {{.attributes = &longest, .attribute_count = 1}, PUBSUB_OK},
      {{.attributes = &key_too_long, .attribute_count = 1}, PUBSUB_E_LIMIT},
      {{.attributes = &value_too_long, .attribute_count = 1}, PUBSUB_E_LIMIT},
      {{.attributes = &not_text, .attribute_count = 1}, PUBSUB_E_INVALID},
      {{.attributes = &reserved, .attribute_count = 1}, PUBSUB_E_LIMIT},
      {{.data = bytes_of(big, 1), .ordering_key = bytes_of(big, 1024)}, PUBSUB_OK},
      {{.data = bytes_of(big, 1), .ordering_key = bytes_of(big, 1025)}, PUBSUB_E_LIMIT},
      {{.data = bytes_of(big, 9999995)}, PUBSUB_OK},
      {{.data = bytes_of(big, 9999996)}, PUBSUB_E_LIMIT},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct pubsub_error error = {0};
    enum pubsub_status status = pubsub_publish_measure(&cases[i].message, &bytes, &error);
    if (status != cases[i].status) fail_msg("case %zu: status %d: %s", i, status, error.text);
    assert_int_equal(status != PUBSUB_OK, error.text[0] != '\0');
  }
}

static void encoding_is_what_the_generated_code_reads(void **state) {
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 5);
  for (int turn = 0; turn < 200; turn++) {
    struct pubsub_buf out = {0};
    struct pubsub_attribute attributes[3] = {{bytes_of("a", 1), bytes_of("1", 1)},
                                             {bytes_of("b", 1), bytes_of("", 0)},
                                             {bytes_of("c", 1), bytes_of("three", 5)}};
    char *data = calloc(1, 3000);
    size_t len = 1 + pubsub_rng_below(&rng, 2999), bytes;
    struct pubsub_message message = {.data = bytes_of(data, len),
                                     .attributes = attributes,
                                     .attribute_count = pubsub_rng_below(&rng, 4),
                                     .ordering_key = bytes_of("key", turn % 2 * 3u)};
    assert_int_equal(pubsub_publish_encode_topic(&out, pubsub_view_str("projects/p/topics/t")),
                     PUBSUB_OK);
    assert_int_equal(pubsub_publish_measure(&message, &bytes, NULL), PUBSUB_OK);
    assert_int_equal(pubsub_publish_field_bytes(&message), bytes);
    assert_int_equal(pubsub_buf_reserve(&out, bytes), PUBSUB_OK);
    assert_ptr_equal(pubsub_publish_encode(&message, out.ptr + out.len), out.ptr + out.len + bytes);
    out.len += bytes;
    Google__Pubsub__V1__PublishRequest *request =
        google__pubsub__v1__publish_request__unpack(NULL, out.len, out.ptr);
    assert_non_null(request);
    assert_string_equal(request->topic, "projects/p/topics/t");
    assert_int_equal(request->n_messages, 1);
    assert_int_equal(request->messages[0]->data.len, len);
    assert_int_equal(request->messages[0]->n_attributes, message.attribute_count);
    assert_string_equal(request->messages[0]->ordering_key, turn % 2 ? "key" : "");
    if (message.attribute_count == 3) {
      assert_string_equal(request->messages[0]->attributes[2]->value, "three");
    }
    google__pubsub__v1__publish_request__free_unpacked(request, NULL);
    pubsub_buf_clear(&out);
    free(data);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(limits_of_a_message, no_leaks),
      cmocka_unit_test_teardown(encoding_is_what_the_generated_code_reads, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
