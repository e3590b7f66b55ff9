#include "services.h"

#include "request_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define PATIENCE_MS 3000
#define IMPATIENCE_MS 100
#define LONGEST_ID 400

#define P "1=projects/p"
#define T "projects/p/topics/"
#define S "projects/p/subscriptions/"
#define N "projects/p/snapshots/"
#define H "projects/p/schemas/"
#define DEFINITION "3={\"type\":\"record\",\"name\":\"R\",\"fields\":[]}"

/* %a: the ack id of the Pull before; %r: the revision of the schema before. */
static const struct step {
  const char *method, *request;
  int status; /* -1: whichever */
} steps[] = {
    {"Publisher/CreateTopic", "1=" T "topic1 2{1=label 2=value} 8{1#3600}", 0},
    {"Publisher/CreateTopic", "1=" T "topic1", 6},
    {"Publisher/CreateTopic", "1=" T "letters", 0},
    {"Publisher/UpdateTopic", "1{1=" T "topic1 2{1=a 2=b}} 2{1=labels}", 0},
    {"Publisher/GetTopic", "1=" T "topic1", 0},
    {"Publisher/GetTopic", "1=" T "missing", 5},
    {"Publisher/ListTopics", P " 2#1", 0},
    {"Subscriber/CreateSubscription",
     "1=" S "sub1 2=" T "topic1 5#20 7#1 8{1#7200} 9{1=label 2=value} 10#1 12=attributes:a "
     "13{1=" T "letters 2#5} 14{1{1#1} 2{1#2}}",
     0},
    {"Subscriber/CreateSubscription", "1=" S "sub2 2=" T "topic1 16#1 11{1{1#172800}}", 0},
    {"Subscriber/CreateSubscription", "1=" S "sub3 2=" T "topic1 12=NOT~hasPrefix(attributes.a,",
     3},
    {"Subscriber/UpdateSubscription", "1{1=" S "sub1 2=" T "topic1 5#30} 2{1=ack_deadline_seconds}",
     0},
    {"Subscriber/UpdateSubscription",
     "1{1=" S "sub1 2=" T "topic1} 2{1=dead_letter_policy 1=labels}", 0},
    {"Subscriber/GetSubscription", "1=" S "sub1", 0},
    {"Subscriber/ListSubscriptions", P " 2#1", 0},
    {"Publisher/ListTopicSubscriptions", "1=" T "topic1", 0},
    {"Publisher/Publish", "1=" T "topic1 2{1=data 2{1=a 2=b} 5=key} 2{1=more 2{1=a 2=c} 5=key}", 0},
    {"Publisher/Publish", "1=" T "topic1 2{}", 3},
    {"Subscriber/Pull", "1=" S "sub1 2#1 3#1", 0},
    {"Subscriber/ModifyAckDeadline", "1=" S "sub1 3#30 4=%a", -1},
    {"Subscriber/ModifyAckDeadline", "1=" S "sub1 3#0 4=%a", -1},
    {"Subscriber/Pull", "1=" S "sub1 2#1 3#10", 0},
    {"Subscriber/Acknowledge", "1=" S "sub1 2=%a", -1},
    {"Subscriber/Pull", "1=" S "sub2 2#1 3#1", 0},
    {"Subscriber/Acknowledge", "1=" S "sub2 2=%a 2=another", -1},
    {"Subscriber/ModifyPushConfig", "1=" S "sub1 2{1=https://push.example/}", 0},
    {"Subscriber/ModifyPushConfig", "1=" S "sub1 2{}", 0},
    {"Subscriber/CreateSnapshot", "1=" N "snap1 2=" S "sub1 3{1=label 2=value}", 0},
    {"Subscriber/UpdateSnapshot", "1{1=" N "snap1 4{1=a 2=b}} 2{1=labels}", 0},
    {"Subscriber/GetSnapshot", "1=" N "snap1", 0},
    {"Subscriber/ListSnapshots", P, 0},
    {"Publisher/ListTopicSnapshots", "1=" T "topic1", 0},
    {"Subscriber/Seek", "1=" S "sub1 2{1#1000000}", 0},
    {"Subscriber/Seek", "1=" S "sub1 3=" N "snap1", 0},
    {"Subscriber/DeleteSnapshot", "1=" N "snap1", 0},
    {"SchemaService/CreateSchema", P " 2{2#2 " DEFINITION "} 3=schema1", -1},
    {"SchemaService/GetSchema", "1=" H "schema1 2#2", -1},
    {"SchemaService/CommitSchema", "1=" H "schema1 2{1=" H "schema1 2#2 " DEFINITION "}", -1},
    {"SchemaService/ListSchemas", P " 2#2", 0},
    {"SchemaService/ListSchemaRevisions", "1=" H "schema1 2#2", -1},
    {"SchemaService/RollbackSchema", "1=" H "schema1 2=%r", -1},
    {"SchemaService/DeleteSchemaRevision", "1=" H "schema1@%r", -1},
    {"SchemaService/ValidateSchema", P " 2{2#2 " DEFINITION "}", -1},
    {"SchemaService/ValidateMessage", P " 2=" H "schema1 4={} 5#1", -1},
    {"Publisher/CreateTopic", "1=" T "topic2 6{1=" H "schema1 2#1}", -1},
    {"SchemaService/DeleteSchema", "1=" H "schema1", -1},
    {"/google.iam.v1.IAMPolicy/SetIamPolicy",
     "1=" T "topic1 2{4{1=roles/pubsub.viewer 2=user:a@example.com}}", 0},
    {"/google.iam.v1.IAMPolicy/GetIamPolicy", "1=" T "topic1", 0},
    {"/google.iam.v1.IAMPolicy/TestIamPermissions", "1=" T "topic1 2=pubsub.topics.get", 0},
    {"Publisher/DetachSubscription", "1=" S "sub2", 0},
    {"Subscriber/DeleteSubscription", "1=" S "sub2", 0},
    {"Subscriber/DeleteSubscription", "1=" S "sub1", 0},
    {"Publisher/DeleteTopic", "1=" T "topic2", -1},
    {"Publisher/DeleteTopic", "1=" T "topic1", 0},
    {"Publisher/DeleteTopic", "1=" T "letters", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=fault~GetTopic~status=UNAVAILABLE~count=1", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=faults", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=faults~clear", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=seed~7", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=record~on", 0},
    {"Publisher/Publish", "1=" TOPIC " 2{1=recorded}", 0},
    {"Subscriber/Pull", "1=" SUBSCRIPTION " 2#1 3#10", 0},
    {"Subscriber/Acknowledge", "1=" SUBSCRIPTION " 2=%a", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=advance~11m", 0},
    {"/pubsub.emulator.v1.Control/Record", "1=clear", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=record~off", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=stats", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=token~secret", 0},
    {"Publisher/ListTopics", P, 16},
    {"/pubsub.emulator.v1.Control/Command", "1=token", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=end-streams", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=goaway", 0},
    {"/pubsub.emulator.v1.Control/Command", "1=disconnect", 0},
    {"/grpc.health.v1.Health/Check", "", 0},
    {"Publisher/NoSuchMethod", "", 12},
};
#define STEP_COUNT (sizeof steps / sizeof *steps)

struct ids {
  char ack[LONGEST_ID], revision[LONGEST_ID];
};

static void keep(char *out, const uint8_t *text, size_t len) {
  if (len < LONGEST_ID) snprintf(out, LONGEST_ID, "%.*s", (int)len, (const char *)text);
}

static void remember(struct ids *ids, const char *method, const struct raw_answer *answer) {
  const uint8_t *field;
  size_t len;
  if (answer->status != 0) return;
  if (strcmp(method, "Subscriber/Pull") == 0) {
    if (request_field(answer->message, answer->len, 1, &field, &len) &&
        request_field(field, len, 1, &field, &len))
      keep(ids->ack, field, len);
  } else if (strstr(method, "SchemaService/C")) {
    if (request_field(answer->message, answer->len, 4, &field, &len))
      keep(ids->revision, field, len);
  }
}

static void substitute(const char *text, const struct ids *ids, char *out, size_t capacity) {
  const char *mark = strchr(text, '%');
  if (mark) {
    snprintf(out, capacity, "%.*s%s%s", (int)(mark - text), text,
             mark[1] == 'a' ? ids->ack : ids->revision, mark + 2);
  } else {
    snprintf(out, capacity, "%s", text);
  }
}

static int take(struct world *world, const struct step *step, struct ids *ids, int timeout_ms) {
  struct raw_answer answer;
  char path[100], text[1500];
  uint8_t request[2048];
  substitute(step->request, ids, text, sizeof text);
  snprintf(path, sizeof path, "%s%s", *step->method == '/' ? "" : "/google.pubsub.v1.",
           step->method);
  size_t len = request_encode(text, request, sizeof request);
  world_call(world, path, request, len, timeout_ms, &answer);
  remember(ids, step->method, &answer);
  return answer.status;
}

void work_services(struct world *world, bool patient) {
  struct ids ids = {"unknown", "unknown"};
  unsigned timeouts = 0;
  for (size_t i = 0; i < STEP_COUNT && timeouts < 3; i++) {
    if (take(world, &steps[i], &ids, patient ? PATIENCE_MS : IMPATIENCE_MS) != RAW_TIMEOUT)
      continue;
    timeouts++;
    if (patient) complain(world, "%s was not answered: %s", steps[i].method, steps[i].request);
  }
}

void recover_services(struct world *world) {
  static const struct step clean[] = {
      {"/pubsub.emulator.v1.Control/Command", "1=token", 0},
      {"/pubsub.emulator.v1.Control/Command", "1=faults~clear", 0},
      {"SchemaService/DeleteSchema", "1=" H "schema1", -1},
      {"Subscriber/DeleteSnapshot", "1=" N "snap1", -1},
      {"Subscriber/DeleteSubscription", "1=" S "sub1", -1},
      {"Subscriber/DeleteSubscription", "1=" S "sub2", -1},
      {"Publisher/DeleteTopic", "1=" T "topic1", -1},
      {"Publisher/DeleteTopic", "1=" T "topic2", -1},
      {"Publisher/DeleteTopic", "1=" T "letters", -1},
  };
  struct ids ids = {"unknown", "unknown"};
  /* what the first half gave up may still be on its way, a new token too */
  nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
  for (size_t i = 0; i < sizeof clean / sizeof *clean; i++)
    take(world, &clean[i], &ids, PATIENCE_MS);
  for (size_t i = 0; i < STEP_COUNT; i++) {
    int status = take(world, &steps[i], &ids, PATIENCE_MS);
    if (status < 0 || (steps[i].status >= 0 && status != steps[i].status))
      complain(world, "%s {%s}: %d", steps[i].method, steps[i].request, status);
  }
}
