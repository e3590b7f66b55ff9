#include "pages/peek.h"

#include "base/alloc.h"
#include "json/printer.h"
#include "json/render.h"
#include "model/contents.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct gathering {
  const struct message **all;
  size_t count, cap;
};

static void gather(void *user, const struct message *message) {
  struct gathering *gathering = user;
  if (message->state == MESSAGE_ACKNOWLEDGED || gathering->count == gathering->cap) return;
  gathering->all[gathering->count++] = message;
}

static int by_id(const void *a, const void *b) {
  const struct message *x = *(const struct message *const *)a,
                       *y = *(const struct message *const *)b;
  return x->id < y->id ? -1 : x->id > y->id;
}

/* What arrived, with the id and time that it is delivered with. */
static enum pubsub_status print_body(struct pubsub_buf *out, const struct message *message) {
  struct pubsub_view bytes = message_view(message);
  Google__Pubsub__V1__PubsubMessage *body =
      google__pubsub__v1__pubsub_message__unpack(NULL, bytes.len, bytes.ptr);
  Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
  char id[24];
  if (!body) return PUBSUB_E_NOMEM;
  char *given_id = body->message_id;
  Google__Protobuf__Timestamp *given_time = body->publish_time;
  snprintf(id, sizeof id, "%" PRIu64, message->id);
  time.seconds = message->publish_time_us / 1000000;
  time.nanos = (int32_t)(message->publish_time_us % 1000000 * 1000);
  body->message_id = id;
  body->publish_time = &time;
  enum pubsub_status status = json_render(out, &body->base, false);
  body->message_id = given_id;
  body->publish_time = given_time;
  google__pubsub__v1__pubsub_message__free_unpacked(body, NULL);
  return status;
}

static enum pubsub_status print_one(struct pubsub_buf *out, const struct message *message) {
  static const char *const states[] = {
      [MESSAGE_READY] = "ready", [MESSAGE_LENT] = "lent", [MESSAGE_WAITING] = "waiting"};
  char text[100];
  snprintf(text, sizeof text,
           "{\"state\":\"%s\",\"attempts\":%u,\"message\":", states[message->state],
           message->attempts);
  enum pubsub_status status = json_print(out, text);
  if (status == PUBSUB_OK) status = print_body(out, message);
  return status == PUBSUB_OK ? json_print(out, "}") : status;
}

enum pubsub_status peek_print(struct pubsub_buf *out, const struct subscription *subscription,
                              size_t most) {
  struct gathering gathering = {.cap = contents_count(subscription)};
  gathering.all = pubsub_alloc((gathering.cap + 1) * sizeof *gathering.all);
  if (!gathering.all) return PUBSUB_E_NOMEM;
  contents_visit(subscription, gather, &gathering);
  if (gathering.count > 1) qsort(gathering.all, gathering.count, sizeof *gathering.all, by_id);
  enum pubsub_status status = json_print(out, "{\"messages\":[");
  for (size_t i = 0; i < gathering.count && i < most && status == PUBSUB_OK; i++) {
    if (i > 0) status = json_print(out, ",");
    if (status == PUBSUB_OK) status = print_one(out, gathering.all[i]);
  }
  pubsub_free(gathering.all);
  return status == PUBSUB_OK ? json_print(out, "]}\n") : status;
}
