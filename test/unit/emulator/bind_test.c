#include "json_text.h"

#include "google/iam/v1/iam_policy.pb-c.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "google/pubsub/v1/schema.pb-c.h"
#include "rest/bind.h"

static struct pubsub_error error;
static bool enum_numbers;

/* What a query makes of an empty message; NULL: it is refused. */
static void expect(const ProtobufCMessageDescriptor *descriptor, const char *query,
                   const char *expected) {
  ProtobufCMessage *message = json_text_read("{}", descriptor);
  error = (struct pubsub_error){0};
  enum pubsub_status status =
      bind_query(message, pubsub_view_str(query), false, &enum_numbers, &error);
  assert_int_equal(status == PUBSUB_OK, expected != NULL);
  if (expected) json_text_expect(message, expected);
  protobuf_c_message_free_unpacked(message, NULL);
}

static void parameters(void **state) {
  (void)state;
  expect(&google__pubsub__v1__list_topics_request__descriptor, "pageSize=5&page_token=a%2Fb+c",
         "{\"pageSize\":5,\"pageToken\":\"a/b c\"}");
  expect(&google__pubsub__v1__get_schema_request__descriptor, "view=FULL", "{\"view\":\"FULL\"}");
  expect(&google__pubsub__v1__get_schema_request__descriptor, "view=2", "{\"view\":\"FULL\"}");
  expect(&google__pubsub__v1__get_schema_request__descriptor, "view=2x", NULL);
  expect(&google__iam__v1__get_iam_policy_request__descriptor, "options.requestedPolicyVersion=3",
         "{\"options\":{\"requestedPolicyVersion\":3}}");
  expect(&google__iam__v1__test_iam_permissions_request__descriptor, "permissions=a&permissions=b",
         "{\"permissions\":[\"a\",\"b\"]}");
  expect(&google__pubsub__v1__update_topic_request__descriptor, "updateMask=labels,kmsKeyName",
         "{\"updateMask\":\"labels,kmsKeyName\"}");
  expect(&google__pubsub__v1__pull_request__descriptor, "returnImmediately=true",
         "{\"returnImmediately\":true}");
}

static void what_all_methods_have(void **state) {
  (void)state;
  expect(&google__pubsub__v1__list_topics_request__descriptor,
         "alt=json&$.xgafv=2&key=k&prettyPrint=false&fields=a(b)&&quotaUser=u", "{}");
  expect(&google__pubsub__v1__list_topics_request__descriptor, "alt=media", NULL);
  assert_false(enum_numbers);
  expect(&google__pubsub__v1__list_topics_request__descriptor, "%24alt=json%3Benum-encoding%3Dint",
         "{}");
  assert_true(enum_numbers);
}

static void what_is_refused(void **state) {
  static const char *const queries[] = {
      "pageSize=x",   "pageSize=99999999999", "nothing=1",     "pageSize=1&pageToken=a&pageToken=b",
      "pageToken=%2", "pageToken=%00",        "pageToken=%ff", "project.name=x",
      "pageSize"};
  (void)state;
  for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
    expect(&google__pubsub__v1__list_topics_request__descriptor, queries[i], NULL);
  expect(&google__pubsub__v1__topic__descriptor, "labels=a", NULL);
}

static void a_body_that_is_the_request_leaves_no_room(void **state) {
  Google__Pubsub__V1__PullRequest request = GOOGLE__PUBSUB__V1__PULL_REQUEST__INIT;
  (void)state;
  assert_int_not_equal(
      bind_query(&request.base, pubsub_view_str("maxMessages=1"), true, &enum_numbers, &error),
      PUBSUB_OK);
  assert_int_equal(
      bind_query(&request.base, pubsub_view_str("alt=json"), true, &enum_numbers, &error),
      PUBSUB_OK);
}

static void texts_replace(void **state) {
  (void)state;
  ProtobufCMessage *message = json_text_read("{\"topic\":{\"name\":\"other\"}}",
                                             &google__pubsub__v1__update_topic_request__descriptor);
  assert_int_equal(bind_text(message, "topic.name", "the one", &error), PUBSUB_OK);
  json_text_expect(message, "{\"topic\":{\"name\":\"the one\"}}");
  assert_int_not_equal(bind_text(message, "topic.nothing", "x", &error), PUBSUB_OK);
  assert_int_not_equal(bind_text(message, "topic.labels.x", "x", &error), PUBSUB_OK);
  protobuf_c_message_free_unpacked(message, NULL);
}

static void texts_make_what_they_go_through(void **state) {
  (void)state;
  ProtobufCMessage *message =
      json_text_read("{}", &google__pubsub__v1__update_topic_request__descriptor);
  assert_int_equal(bind_text(message, "topic.name", "n", &error), PUBSUB_OK);
  json_text_expect(message, "{\"topic\":{\"name\":\"n\"}}");
  protobuf_c_message_free_unpacked(message, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(parameters),
                                     cmocka_unit_test(what_all_methods_have),
                                     cmocka_unit_test(what_is_refused),
                                     cmocka_unit_test(a_body_that_is_the_request_leaves_no_room),
                                     cmocka_unit_test(texts_replace),
                                     cmocka_unit_test(texts_make_what_they_go_through)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
