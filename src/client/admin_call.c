#include "client/admin_call.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/container.h"
#include "base/error.h"
#include "base/monitor.h"
#include "grpc/backoff.h"
#include "grpc/explain.h"
#include "grpc/routing.h"
#include "grpc/unary.h"
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
  struct pubsub_unary *unary;
  struct pubsub_monitor monitor;
  bool done; /* under the monitor */
};

static void finish(struct admin_call *call) {
  pubsub_monitor_lock(&call->monitor);
  call->done = true;
  pubsub_monitor_wake(&call->monitor);
  pubsub_monitor_unlock(&call->monitor);
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
  struct admin_call *call = PUBSUB_CONTAINER_OF(task, struct admin_call, task);
  struct pubsub_segment segment = pubsub_segment_from_buf(&call->request);
  if (pubsub_unary_start(call->channel, &call->options, &segment, 1, on_done, call, &call->unary,
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
  pubsub_monitor_lock(&call->monitor);
  while (!call->done)
    pubsub_monitor_wait(&call->monitor);
  pubsub_monitor_unlock(&call->monitor);
}

/* As Google's clients do for these calls. A creation that had its effect shows as ALREADY_EXISTS
 * then. */
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

static void repeat(struct admin_call *call, const ProtobufCMessage *request, uint32_t timeout_ms) {
  uint64_t end_us = pubsub_clock_now_us() + (uint64_t)timeout_ms * 1000;
  struct pubsub_backoff backoff;
  struct pubsub_rng rng;
  pubsub_rng_seed_random(&rng);
  pubsub_backoff_init(&backoff, FIRST_DELAY_US, MAX_DELAY_US);
  while (true) {
    uint64_t now_us = pubsub_clock_now_us();
    attempt(call, request, end_us > now_us ? end_us - now_us : 1);
    uint64_t delay_us = pubsub_backoff_next_us(&backoff, &rng);
    if (!may_try_again(&call->result) || pubsub_clock_now_us() + delay_us >= end_us) return;
    sleep_us(delay_us);
  }
}

void pubsub_admin_set_missing(struct pubsub_client *client, const char *object, const char *name,
                              struct pubsub_error *out) {
  struct pubsub_subject subject = {
      .object = object, .name = pubsub_view_str(name), .emulator = !client->tls};
  pubsub_explain_missing(&subject, out);
}

enum pubsub_status pubsub_admin_call(struct pubsub_client *client,
                                     const struct pubsub_admin_method *method, const char *name,
                                     const ProtobufCMessage *request, uint32_t timeout_ms,
                                     struct pubsub_buf *response, struct pubsub_error *error) {
  struct admin_call call = {.task.run = start, .channel = pubsub_client_next_channel(client)};
  if (response) *response = (struct pubsub_buf){0};
  char *routing = pubsub_routing_header(method->field, pubsub_view_str(name));
  if (!routing) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  call.options = (struct pubsub_call_options){.method = method->path, .routing_header = routing};
  pubsub_monitor_init(&call.monitor);
  repeat(&call, request, timeout_ms);
  pubsub_monitor_clear(&call.monitor);
  pubsub_buf_clear(&call.request);
  pubsub_free(routing);
  if (response)
    *response = call.response;
  else
    pubsub_buf_clear(&call.response);
  struct pubsub_subject subject = {method->object, pubsub_view_str(name), NULL, method->permission,
                                   !client->tls};
  if (call.result.status == PUBSUB_E_GRPC) pubsub_explain(&subject, &call.result, &call.result);
  if (call.result.status != PUBSUB_OK && error) *error = call.result;
  return call.result.status;
}

enum pubsub_status pubsub_admin_unreadable(struct pubsub_error *error) {
  return pubsub_error_set(error, PUBSUB_E_PROTOCOL, "the answer cannot be parsed");
}

struct pubsub_view pubsub_admin_answer(const struct pubsub_buf *response) {
  return response->ptr ? pubsub_view_of(response->ptr, response->len) : pubsub_view_str("");
}

char *pubsub_admin_text(const char *borrowed) {
  return (char *)(uintptr_t)borrowed;
}
