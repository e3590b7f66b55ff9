/* What users read: the name, what is missing, and a command that works where they are. */
#include "support.h"

#include "base/error.h"
#include "grpc/explain.h"

static struct pubsub_error explained(const struct pubsub_subject *subject, int grpc_code) {
  struct pubsub_error error = {0};
  pubsub_error_set_grpc(&error, grpc_code, "the service's words");
  pubsub_explain(subject, &error, &error);
  assert_int_equal(error.grpc_code, grpc_code);
  return error;
}

static struct pubsub_subject subject(const char *object, const char *name, bool emulator) {
  return (struct pubsub_subject){object, pubsub_view_str(name), NULL, NULL, emulator};
}

static void what_is_missing_is_made_by_a_command(void **state) {
  static const struct {
    const char *object, *name, *text;
    bool emulator;
  } cases[] = {{"topic", "projects/p1/topics/abc",
                "topic 'projects/p1/topics/abc' does not exist; create it with: "
                "gcloud pubsub topics create abc --project=p1",
                false},
               {"topic", "projects/p1/topics/abc",
                "topic 'projects/p1/topics/abc' does not exist; create it with: "
                "pubsub topic create abc --project p1",
                true},
               {"subscription", "projects/p1/subscriptions/abc",
                "subscription 'projects/p1/subscriptions/abc' does not exist; create it with: "
                "gcloud pubsub subscriptions create abc --topic=TOPIC --project=p1",
                false},
               {"subscription", "projects/p1/subscriptions/abc",
                "subscription 'projects/p1/subscriptions/abc' does not exist; create it with: "
                "pubsub subscription create abc --topic TOPIC --project p1",
                true},
               {"snapshot", "projects/p1/snapshots/abc",
                "snapshot 'projects/p1/snapshots/abc' does not exist", true},
               {"topic", "odd",
                "topic 'odd' does not exist; create it with: "
                "pubsub topic create odd --project PROJECT",
                true}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct pubsub_subject about = subject(cases[i].object, cases[i].name, cases[i].emulator);
    struct pubsub_error error = explained(&about, PUBSUB_GRPC_NOT_FOUND);
    assert_string_equal(error.text, cases[i].text);
  }
}

static void what_is_denied_names_deed_and_permission(void **state) {
  struct pubsub_subject about = subject("subscription", "projects/p/subscriptions/s", false);
  (void)state;
  assert_string_equal(explained(&about, PUBSUB_GRPC_PERMISSION_DENIED).text,
                      "no permission on subscription 'projects/p/subscriptions/s': "
                      "the service's words");
  about.deed = "to read";
  about.permission = "pubsub.subscriptions.consume";
  assert_string_equal(explained(&about, PUBSUB_GRPC_PERMISSION_DENIED).text,
                      "no permission to read subscription 'projects/p/subscriptions/s' "
                      "(pubsub.subscriptions.consume is needed, for example by the role "
                      "roles/pubsub.subscriber): the service's words");
}

static void other_codes_keep_the_services_words(void **state) {
  struct pubsub_subject about = subject("topic", "projects/p/topics/t", false);
  (void)state;
  assert_string_equal(explained(&about, PUBSUB_GRPC_UNAUTHENTICATED).text,
                      "topic 'projects/p/topics/t': the service does not accept the access token "
                      "(UNAUTHENTICATED: the service's words)");
  struct pubsub_error error = explained(&about, PUBSUB_GRPC_UNAVAILABLE);
  assert_string_equal(error.text, "topic 'projects/p/topics/t': UNAVAILABLE: the service's words");
  assert_true(error.retryable);
}

static void an_error_of_ours_gets_the_name(void **state) {
  struct pubsub_subject about = subject("topic", "projects/p/topics/t", false);
  struct pubsub_error error = {0};
  (void)state;
  pubsub_error_set(&error, PUBSUB_E_TLS, "the certificate has expired");
  pubsub_explain(&about, &error, &error);
  assert_int_equal(error.status, PUBSUB_E_TLS);
  assert_string_equal(error.text, "topic 'projects/p/topics/t': the certificate has expired");
  assert_false(error.retryable);
}

/* Whatever a name is: the text ends, and the name is in it as far as there is room. */
static void names_of_any_length(void **state) {
  static char name[2000];
  (void)state;
  for (size_t len = 0; len < sizeof name - 1; len += 7) {
    memset(name, 'n', len);
    name[len] = '\0';
    for (int code = 1; code <= 16; code++) {
      struct pubsub_subject about = subject("subscription", name, len % 2);
      struct pubsub_error error = explained(&about, code);
      assert_int_equal(error.text[0] != '\0', 1);
      assert_true(strlen(error.text) < sizeof error.text);
    }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_missing_is_made_by_a_command),
                                     cmocka_unit_test(what_is_denied_names_deed_and_permission),
                                     cmocka_unit_test(other_codes_keep_the_services_words),
                                     cmocka_unit_test(an_error_of_ours_gets_the_name),
                                     cmocka_unit_test(names_of_any_length)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
