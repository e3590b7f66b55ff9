#include "json_text.h"

#include "google/iam/v1/policy.pb-c.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "google/pubsub/v1/schema.pb-c.h"

static void every_kind_of_field(void **state) {
  (void)state;
  json_text_turn(&google__pubsub__v1__subscription__descriptor,
                 "{\"name\":\"n\",\"topic\":\"t\",\"pushConfig\":{\"pushEndpoint\":\"https://a\","
                 "\"attributes\":{\"x-goog-version\":\"v1\"},\"oidcToken\":{\"audience\":\"x\"}},"
                 "\"ackDeadlineSeconds\":20,\"retainAckedMessages\":true,"
                 "\"messageRetentionDuration\":\"600.500s\",\"labels\":{\"a\":\"1\",\"b\":\"2\"},"
                 "\"state\":\"ACTIVE\",\"cloudStorageConfig\":{\"bucket\":\"b\",\"avroConfig\":"
                 "{\"writeMetadata\":true},\"maxBytes\":\"9007199254740993\"}}",
                 NULL);
}

static void defaults_are_left_out(void **state) {
  (void)state;
  json_text_turn(&google__pubsub__v1__subscription__descriptor,
                 "{\"name\":\"\",\"ackDeadlineSeconds\":0,\"labels\":{},\"detached\":false,"
                 "\"state\":\"STATE_UNSPECIFIED\",\"expirationPolicy\":{}}",
                 "{\"expirationPolicy\":{}}");
}

static void members_of_a_oneof_are_told_when_empty(void **state) {
  (void)state;
  json_text_turn(&google__pubsub__v1__cloud_storage_config__descriptor, "{\"textConfig\":{}}",
                 NULL);
  json_text_turn(&google__pubsub__v1__seek_request__descriptor, "{\"snapshot\":\"\"}", NULL);
}

static void bytes_and_messages_in_lists(void **state) {
  (void)state;
  json_text_turn(
      &google__pubsub__v1__publish_request__descriptor,
      "{\"topic\":\"t\",\"messages\":[{\"data\":\"_-8\"},{},{\"attributes\":{\"k\":\"\"}}]}",
      "{\"topic\":\"t\",\"messages\":[{\"data\":\"/+8=\"},{},{\"attributes\":{\"k\":\"\"}}]}");
  json_text_turn(&google__pubsub__v1__publish_response__descriptor, "{\"messageIds\":[\"1\",\"\"]}",
                 NULL);
}

static void an_enum_without_a_name_is_its_number(void **state) {
  (void)state;
  json_text_turn(&google__pubsub__v1__schema__descriptor, "{\"type\":2}", "{\"type\":\"AVRO\"}");
  json_text_turn(&google__pubsub__v1__schema__descriptor, "{\"type\":77}", "{\"type\":77}");
}

static void enums_by_number_where_asked(void **state) {
  struct pubsub_buf out = {0};
  (void)state;
  ProtobufCMessage *message = json_text_read(
      "{\"schema\":{\"type\":\"AVRO\"}}", &google__pubsub__v1__create_schema_request__descriptor);
  assert_int_equal(json_render(&out, message, true), PUBSUB_OK);
  assert_memory_equal(out.ptr, "{\"schema\":{\"type\":2}}", out.len);
  pubsub_buf_clear(&out);
  protobuf_c_message_free_unpacked(message, NULL);
}

static void nested_messages(void **state) {
  (void)state;
  json_text_turn(&google__iam__v1__policy__descriptor,
                 "{\"version\":3,\"etag\":\"AAAAAQ==\",\"bindings\":[{\"role\":\"r\","
                 "\"members\":[\"a\",\"b\"],\"condition\":{\"expression\":\"e\"}}]}",
                 NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind_of_field),
                                     cmocka_unit_test(defaults_are_left_out),
                                     cmocka_unit_test(members_of_a_oneof_are_told_when_empty),
                                     cmocka_unit_test(bytes_and_messages_in_lists),
                                     cmocka_unit_test(an_enum_without_a_name_is_its_number),
                                     cmocka_unit_test(enums_by_number_where_asked),
                                     cmocka_unit_test(nested_messages)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
