/* Administrative calls: blocking for the caller, a unary call on a loop. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "client/client.h"
#include "google/iam/v1/iam_policy.pb-c.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "grpc/backoff.h"
#include "grpc/routing.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define FIRST_DELAY_US 100000
#define MAX_DELAY_US 10000000

struct admin_call {
  struct pubsub_task task;
  struct pubsub_channel *channel;
  struct pubsub_call_options options;
  struct pubsub_buf request, response;
  struct pubsub_error result;
  struct pubsub_call *call;
  pthread_mutex_t mutex;
  pthread_cond_t finished;
  bool done;
};

static void finish(struct admin_call *call) {
  pthread_mutex_lock(&call->mutex);
  call->done = true;
  pthread_cond_signal(&call->finished);
  pthread_mutex_unlock(&call->mutex);
}

static void on_done(void *user, const struct pubsub_error *result, struct pubsub_view response,
                    struct pubsub_view details) {
  struct admin_call *call = user;
  (void)details;
  call->result = *result;
  if (response.len > 0 &&
      pubsub_buf_append(&call->response, response.ptr, response.len) != PUBSUB_OK) {
    pubsub_error_set(&call->result, PUBSUB_E_NOMEM, "out of memory");
  }
  finish(call);
}

static void start(struct pubsub_task *task) {
  struct admin_call *call = (struct admin_call *)task;
  struct pubsub_segment segment = pubsub_segment_from_buf(&call->request);
  if (pubsub_unary_start(call->channel, &call->options, &segment, 1, on_done, call, &call->call,
                         &call->result) != PUBSUB_OK) {
    pubsub_free(segment.owner);
    finish(call);
  }
}

/* One attempt. */
static void attempt(struct admin_call *call, const ProtobufCMessage *request, uint64_t timeout_us) {
  call->result = (struct pubsub_error){0};
  call->done = false;
  call->response.len = 0;
  call->options.timeout_us = timeout_us;
  if (pubsub_buf_reserve(&call->request, protobuf_c_message_get_packed_size(request)) !=
      PUBSUB_OK) {
    pubsub_error_set(&call->result, PUBSUB_E_NOMEM, "out of memory");
    return;
  }
  call->request.len = protobuf_c_message_pack(request, call->request.ptr);
  pubsub_loop_post(pubsub_channel_loop(call->channel), &call->task);
  pthread_mutex_lock(&call->mutex);
  while (!call->done)
    pthread_cond_wait(&call->finished, &call->mutex);
  pthread_mutex_unlock(&call->mutex);
}

/* As Google's clients do for these calls. A creation that had its effect shows as ALREADY_EXISTS then. */
static bool may_try_again(const struct pubsub_error *result) {
  if (result->status != PUBSUB_E_GRPC) {
    return result->status == PUBSUB_E_IO || result->status == PUBSUB_E_PROTOCOL;
  }
  return result->grpc_code == PUBSUB_GRPC_UNAVAILABLE || result->grpc_code == PUBSUB_GRPC_UNKNOWN ||
         result->grpc_code == PUBSUB_GRPC_ABORTED;
}

static void sleep_us(uint64_t us) {
  struct timespec time = {(time_t)(us / 1000000), (long)(us % 1000000) * 1000};
  nanosleep(&time, NULL);
}

/* Runs the call, and again until the time is over; *response is the caller's to clear. */
static enum pubsub_status run(struct pubsub_client *client, const char *method, const char *field,
                              const char *name, const ProtobufCMessage *request,
                              uint32_t timeout_ms, struct pubsub_buf *response,
                              struct pubsub_error *error) {
  struct admin_call call = {.task.run = start,
                            .channel = pubsub_client_next_channel(client),
                            .mutex = PTHREAD_MUTEX_INITIALIZER,
                            .finished = PTHREAD_COND_INITIALIZER};
  char *routing = pubsub_routing_header(field, pubsub_view_str(name));
  if (!routing) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  call.options = (struct pubsub_call_options){.method = method, .routing_header = routing};
  uint64_t end_us = pubsub_clock_now_us() + (uint64_t)timeout_ms * 1000;
  struct pubsub_backoff backoff;
  struct pubsub_rng rng;
  pubsub_rng_seed_random(&rng);
  pubsub_backoff_init(&backoff, FIRST_DELAY_US, MAX_DELAY_US);
  while (true) {
    uint64_t now_us = pubsub_clock_now_us();
    attempt(&call, request, end_us > now_us ? end_us - now_us : 1);
    uint64_t delay_us = pubsub_backoff_next_us(&backoff, &rng);
    if (!may_try_again(&call.result) || pubsub_clock_now_us() + delay_us >= end_us) break;
    sleep_us(delay_us);
  }
  pthread_mutex_destroy(&call.mutex);
  pthread_cond_destroy(&call.finished);
  pubsub_buf_clear(&call.request);
  pubsub_free(routing);
  *response = call.response;
  if (call.result.status != PUBSUB_OK && error) *error = call.result;
  return call.result.status;
}

/* What the service says in its own words, in those of a user. `object`: "topic" or "subscription". */
static enum pubsub_status explain(enum pubsub_status status, const char *object, const char *name,
                                  const char *permission, struct pubsub_error *error) {
  if (status != PUBSUB_E_GRPC || !error) return status;
  const char *id = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
  bool is_topic = strcmp(object, "topic") == 0;
  if (error->grpc_code == PUBSUB_GRPC_NOT_FOUND) {
    pubsub_error_set_grpc(error, error->grpc_code,
                          "%s '%.250s' does not exist; create it with: gcloud pubsub %ss create "
                          "%.100s%s",
                          object, name, object, id, is_topic ? "" : " --topic=TOPIC");
  } else if (error->grpc_code == PUBSUB_GRPC_PERMISSION_DENIED) {
    pubsub_error_set_grpc(error, error->grpc_code,
                          "no permission on %s '%.200s' (%s is needed): %.120s", object, name,
                          permission, error->text);
  } else {
    pubsub_error_set_grpc(error, error->grpc_code, "%s '%.200s': %s: %.200s", object, name,
                          pubsub_grpc_code_name(error->grpc_code), error->text);
  }
  return status;
}

#define PUBLISHER "/google.pubsub.v1.Publisher/"
#define SUBSCRIBER "/google.pubsub.v1.Subscriber/"

static char *text(const char *borrowed) {
  return (char *)(uintptr_t)borrowed;
}

enum pubsub_status pubsub_client_create_topic(struct pubsub_client *client, const char *topic,
                                              uint32_t timeout_ms, struct pubsub_error *error) {
  Google__Pubsub__V1__Topic request = GOOGLE__PUBSUB__V1__TOPIC__INIT;
  struct pubsub_buf response = {0};
  request.name = text(topic);
  enum pubsub_status status = run(client, PUBLISHER "CreateTopic", "name", topic, &request.base,
                                  timeout_ms, &response, error);
  pubsub_buf_clear(&response);
  return explain(status, "topic", topic, "pubsub.topics.create", error);
}

enum pubsub_status pubsub_client_get_topic(struct pubsub_client *client, const char *topic,
                                           uint32_t timeout_ms, struct pubsub_error *error) {
  Google__Pubsub__V1__GetTopicRequest request = GOOGLE__PUBSUB__V1__GET_TOPIC_REQUEST__INIT;
  struct pubsub_buf response = {0};
  request.topic = text(topic);
  enum pubsub_status status = run(client, PUBLISHER "GetTopic", "topic", topic, &request.base,
                                  timeout_ms, &response, error);
  pubsub_buf_clear(&response);
  return explain(status, "topic", topic, "pubsub.topics.get", error);
}

enum pubsub_status pubsub_client_delete_topic(struct pubsub_client *client, const char *topic,
                                              uint32_t timeout_ms, struct pubsub_error *error) {
  Google__Pubsub__V1__DeleteTopicRequest request = GOOGLE__PUBSUB__V1__DELETE_TOPIC_REQUEST__INIT;
  struct pubsub_buf response = {0};
  request.topic = text(topic);
  enum pubsub_status status = run(client, PUBLISHER "DeleteTopic", "topic", topic, &request.base,
                                  timeout_ms, &response, error);
  pubsub_buf_clear(&response);
  return explain(status, "topic", topic, "pubsub.topics.delete", error);
}

enum pubsub_status pubsub_client_create_subscription(struct pubsub_client *client,
                                                     const char *subscription,
                                                     const struct pubsub_subscription_info *info,
                                                     uint32_t timeout_ms,
                                                     struct pubsub_error *error) {
  Google__Pubsub__V1__Subscription request = GOOGLE__PUBSUB__V1__SUBSCRIPTION__INIT;
  struct pubsub_buf response = {0};
  request.name = text(subscription);
  request.topic = text(info->topic);
  request.ack_deadline_seconds = (int32_t)info->ack_deadline_s;
  request.enable_exactly_once_delivery = info->exactly_once;
  request.enable_message_ordering = info->ordering;
  request.filter = text(info->filter);
  Google__Protobuf__Duration retention = GOOGLE__PROTOBUF__DURATION__INIT;
  retention.seconds = (int64_t)info->retention_s;
  if (info->retention_s > 0) request.message_retention_duration = &retention;
  enum pubsub_status status = run(client, SUBSCRIBER "CreateSubscription", "name", subscription,
                                  &request.base, timeout_ms, &response, error);
  pubsub_buf_clear(&response);
  if (status == PUBSUB_E_GRPC && error && error->grpc_code == PUBSUB_GRPC_NOT_FOUND) {
    return explain(status, "topic", info->topic, "", error);
  }
  return explain(status, "subscription", subscription, "pubsub.subscriptions.create", error);
}

enum pubsub_status pubsub_client_get_subscription(struct pubsub_client *client,
                                                  const char *subscription,
                                                  struct pubsub_subscription_info *info,
                                                  uint32_t timeout_ms, struct pubsub_error *error) {
  Google__Pubsub__V1__GetSubscriptionRequest request =
      GOOGLE__PUBSUB__V1__GET_SUBSCRIPTION_REQUEST__INIT;
  struct pubsub_buf response = {0};
  request.subscription = text(subscription);
  enum pubsub_status status = run(client, SUBSCRIBER "GetSubscription", "subscription",
                                  subscription, &request.base, timeout_ms, &response, error);
  if (status == PUBSUB_OK && info) {
    Google__Pubsub__V1__Subscription *config = google__pubsub__v1__subscription__unpack(
        NULL, response.len, response.ptr ? response.ptr : (const uint8_t *)"");
    if (config) {
      *info = (struct pubsub_subscription_info){
          .ack_deadline_s = (uint32_t)config->ack_deadline_seconds,
          .exactly_once = config->enable_exactly_once_delivery,
          .ordering = config->enable_message_ordering,
          .detached = config->detached};
      if (config->message_retention_duration) {
        info->retention_s = (uint64_t)config->message_retention_duration->seconds;
      }
      snprintf(info->topic, sizeof info->topic, "%s", config->topic);
      snprintf(info->filter, sizeof info->filter, "%s", config->filter);
      google__pubsub__v1__subscription__free_unpacked(config, NULL);
    } else {
      status = pubsub_error_set(error, PUBSUB_E_PROTOCOL, "the answer cannot be parsed");
    }
  }
  pubsub_buf_clear(&response);
  return explain(status, "subscription", subscription, "pubsub.subscriptions.get", error);
}

enum pubsub_status pubsub_client_delete_subscription(struct pubsub_client *client,
                                                     const char *subscription, uint32_t timeout_ms,
                                                     struct pubsub_error *error) {
  Google__Pubsub__V1__DeleteSubscriptionRequest request =
      GOOGLE__PUBSUB__V1__DELETE_SUBSCRIPTION_REQUEST__INIT;
  struct pubsub_buf response = {0};
  request.subscription = text(subscription);
  enum pubsub_status status = run(client, SUBSCRIBER "DeleteSubscription", "subscription",
                                  subscription, &request.base, timeout_ms, &response, error);
  pubsub_buf_clear(&response);
  return explain(status, "subscription", subscription, "pubsub.subscriptions.delete", error);
}

enum pubsub_status pubsub_client_seek(struct pubsub_client *client, const char *subscription,
                                      int64_t time_us, uint32_t timeout_ms,
                                      struct pubsub_error *error) {
  Google__Pubsub__V1__SeekRequest request = GOOGLE__PUBSUB__V1__SEEK_REQUEST__INIT;
  Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
  struct pubsub_buf response = {0};
  time.seconds = time_us / 1000000;
  time.nanos = (int32_t)(time_us % 1000000 * 1000);
  request.subscription = text(subscription);
  request.target_case = GOOGLE__PUBSUB__V1__SEEK_REQUEST__TARGET_TIME;
  request.time = &time;
  enum pubsub_status status = run(client, SUBSCRIBER "Seek", "subscription", subscription,
                                  &request.base, timeout_ms, &response, error);
  pubsub_buf_clear(&response);
  return explain(status, "subscription", subscription, "pubsub.subscriptions.update", error);
}

enum pubsub_status pubsub_client_test_permission(struct pubsub_client *client, const char *resource,
                                                 const char *permission, bool *out_granted,
                                                 uint32_t timeout_ms, struct pubsub_error *error) {
  Google__Iam__V1__TestIamPermissionsRequest request =
      GOOGLE__IAM__V1__TEST_IAM_PERMISSIONS_REQUEST__INIT;
  struct pubsub_buf response = {0};
  char *permissions[] = {text(permission)};
  request.resource = text(resource);
  request.n_permissions = 1;
  request.permissions = permissions;
  *out_granted = false;
  enum pubsub_status status = run(client, "/google.iam.v1.IAMPolicy/TestIamPermissions", "resource",
                                  resource, &request.base, timeout_ms, &response, error);
  if (status == PUBSUB_OK) {
    Google__Iam__V1__TestIamPermissionsResponse *granted =
        google__iam__v1__test_iam_permissions_response__unpack(
            NULL, response.len, response.ptr ? response.ptr : (const uint8_t *)"");
    if (granted) {
      *out_granted = granted->n_permissions == 1;
      google__iam__v1__test_iam_permissions_response__free_unpacked(granted, NULL);
    } else {
      status = pubsub_error_set(error, PUBSUB_E_PROTOCOL, "the answer cannot be parsed");
    }
  }
  pubsub_buf_clear(&response);
  return explain(status, strstr(resource, "/topics/") ? "topic" : "subscription", resource,
                 permission, error);
}
