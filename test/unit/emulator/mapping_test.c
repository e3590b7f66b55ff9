#include "support.h"

#include "google/pubsub/v1/pubsub.pb-c.h"
#include "google/pubsub/v1/schema.pb-c.h"
#include "json/mapping.h"
#include <stdio.h>

static struct pubsub_error error;

static void *read(const char *text, const ProtobufCMessageDescriptor *descriptor) {
  struct json json;
  error = (struct pubsub_error){0};
  json_init(&json, pubsub_view_str(text), &error);
  ProtobufCMessage *message = json_message(&json, descriptor);
  if (message && json_end(&json)) return message;
  if (message) protobuf_c_message_free_unpacked(message, NULL);
  return NULL;
}

static void every_kind_of_field(void **state) {
  Google__Pubsub__V1__Subscription *read_one =
      read("{\"name\": \"n\", \"topic\": \"t\", \"ackDeadlineSeconds\": 20, "
           "\"retain_acked_messages\": true,"
           " \"messageRetentionDuration\": \"600.5s\", \"labels\": {\"a\": \"1\", \"b\": \"2\"},"
           " \"retryPolicy\": {\"minimumBackoff\": \"1s\"}, \"state\": \"ACTIVE\", "
           "\"deadLetterPolicy\": null,"
           " \"pushConfig\": {\"pushEndpoint\": \"https://a\", \"attributes\": {},"
           "   \"oidcToken\": {\"audience\": \"x\"}}}",
           &google__pubsub__v1__subscription__descriptor);
  (void)state;
  assert_non_null(read_one);
  assert_string_equal(read_one->name, "n");
  assert_int_equal(read_one->ack_deadline_seconds, 20);
  assert_int_equal(read_one->retain_acked_messages, 1);
  assert_int_equal(read_one->message_retention_duration->seconds, 600);
  assert_int_equal(read_one->message_retention_duration->nanos, 500000000);
  assert_int_equal(read_one->n_labels, 2);
  assert_string_equal(read_one->labels[1]->key, "b");
  assert_string_equal(read_one->labels[1]->value, "2");
  assert_int_equal(read_one->retry_policy->minimum_backoff->seconds, 1);
  assert_int_equal(read_one->state, GOOGLE__PUBSUB__V1__SUBSCRIPTION__STATE__ACTIVE);
  assert_null(read_one->dead_letter_policy);
  assert_string_equal(read_one->push_config->oidc_token->audience, "x");
  google__pubsub__v1__subscription__free_unpacked(read_one, NULL);
}

static void messages_with_their_bytes(void **state) {
  Google__Pubsub__V1__PublishRequest *request =
      read("{\"topic\": \"t\", \"messages\": [{\"data\": \"aGVsbG8=\", \"orderingKey\": \"k\"}, "
           "{\"data\": \"_-8\"}, {}]}",
           &google__pubsub__v1__publish_request__descriptor);
  (void)state;
  assert_non_null(request);
  assert_int_equal(request->n_messages, 3);
  assert_int_equal(request->messages[0]->data.len, 5);
  assert_memory_equal(request->messages[0]->data.data, "hello", 5);
  assert_int_equal(request->messages[1]->data.len, 2);
  assert_memory_equal(request->messages[1]->data.data, "\xff\xef", 2);
  assert_int_equal(request->messages[2]->data.len, 0);
  google__pubsub__v1__publish_request__free_unpacked(request, NULL);
}

static void numbers_as_strings_and_members_of_oneofs(void **state) {
  Google__Pubsub__V1__SeekRequest *seek =
      read("{\"subscription\": \"s\", \"time\": \"2024-01-01T00:00:00Z\"}",
           &google__pubsub__v1__seek_request__descriptor);
  (void)state;
  assert_non_null(seek);
  assert_int_equal(seek->target_case, GOOGLE__PUBSUB__V1__SEEK_REQUEST__TARGET_TIME);
  assert_int_equal(seek->time->seconds, 1704067200);
  google__pubsub__v1__seek_request__free_unpacked(seek, NULL);
  Google__Pubsub__V1__StreamingPullRequest *pull =
      read("{\"maxOutstandingBytes\": \"9007199254740993\", \"modifyDeadlineSeconds\": [1, \"2\"]}",
           &google__pubsub__v1__streaming_pull_request__descriptor);
  assert_non_null(pull);
  assert_true(pull->max_outstanding_bytes == INT64_C(9007199254740993));
  assert_int_equal(pull->modify_deadline_seconds[1], 2);
  google__pubsub__v1__streaming_pull_request__free_unpacked(pull, NULL);
}

static void what_does_not_fit_is_told(void **state) {
  static const struct {
    const char *text, *says;
  } bad[] = {{"[]", "expected {"},
             {"{\"nonsense\": 1}", "Subscription has no 'nonsense'"},
             {"{\"name\": 1}", "expected a string"},
             {"{\"ackDeadlineSeconds\": 1.5}", "whole number"},
             {"{\"ackDeadlineSeconds\": 2147483648}", "whole number"},
             {"{\"ackDeadlineSeconds\": \"x\"}", "whole number"},
             {"{\"retainAckedMessages\": 1}", "true or false"},
             {"{\"messageRetentionDuration\": \"1m\"}", "no duration"},
             {"{\"messageRetentionDuration\": 5}", "expected a string"},
             {"{\"state\": \"NONSENSE\"}", "no State"},
             {"{\"labels\": {\"a\": 1}}", "expected a string"},
             {"{\"labels\": [\"a\"]}", "expected {"},
             {"{\"name\": \"a\", \"name\": \"b\"}", "given twice"},
             {"{\"retryPolicy\": {}, \"retryPolicy\": {}}", "given twice"},
             {"{\"name\": \"a\"", "expected a comma"},
             {"{\"name\": \"a\"} x", "at the end"}};
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_null(read(bad[i].text, &google__pubsub__v1__subscription__descriptor));
    assert_non_null(strstr(error.text, bad[i].says));
  }
  assert_null(read("{\"snapshot\": \"s\", \"time\": \"2024-01-01T00:00:00Z\"}",
                   &google__pubsub__v1__seek_request__descriptor));
}

/* What is cut or run together is not taken for less than was meant. */
static void bytes_that_are_no_base64_are_told(void **state) {
  static const char *const bad[] = {"a b",       "a",     "=",       "=aaa",
                                    "aGVs=bG8=", "aGVsb", "aGVsbA=", "aGVsbG8=="};
  static const char *const good[] = {"",         "aGVs",    "aGVsbA==", "aGVsbA",
                                     "aGVsbG8=", "aGVsbG8", "-_-_"};
  char text[80];
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    snprintf(text, sizeof text, "{\"messages\": [{\"data\": \"%s\"}]}", bad[i]);
    assert_null(read(text, &google__pubsub__v1__publish_request__descriptor));
    assert_non_null(strstr(error.text, "base64"));
  }
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    snprintf(text, sizeof text, "{\"messages\": [{\"data\": \"%s\"}]}", good[i]);
    ProtobufCMessage *request = read(text, &google__pubsub__v1__publish_request__descriptor);
    assert_non_null(request);
    protobuf_c_message_free_unpacked(request, NULL);
  }
}

/* Cut anywhere, it is refused, and nothing is left behind (a leak is seen by AddressSanitizer). */
static void cut_anywhere(void **state) {
  static const char text[] =
      "{\"name\": \"n\", \"labels\": {\"a\": \"1\"}, \"pushConfig\": {\"oidcToken\": "
      "{\"audience\": \"x\"}},"
      " \"messageRetentionDuration\": \"600s\", \"messageTransforms\": [{\"enabled\": true}]}";
  (void)state;
  for (size_t len = 0; len < sizeof text - 1; len++) {
    struct json json;
    json_init(&json, pubsub_view_of(text, len), NULL);
    assert_null(json_message(&json, &google__pubsub__v1__subscription__descriptor));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(every_kind_of_field, no_leaks),
      cmocka_unit_test_teardown(messages_with_their_bytes, no_leaks),
      cmocka_unit_test_teardown(numbers_as_strings_and_members_of_oneofs, no_leaks),
      cmocka_unit_test_teardown(what_does_not_fit_is_told, no_leaks),
      cmocka_unit_test_teardown(bytes_that_are_no_base64_are_told, no_leaks),
      cmocka_unit_test_teardown(cut_anywhere, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
