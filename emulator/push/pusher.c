#include "push/pusher.h"

#include "auth/http_call.h"
#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include "model/backlog.h"
#include "model/delivery.h"
#include "model/lending.h"
#include "push/endpoint.h"
#include "push/pace.h"
#include "push/payload.h"
#include <stdio.h>
#include <string.h>

#define TOKEN_LIFE_S 1800

struct pusher {
  struct consumer consumer; /* in subscription.streams */
  struct pubsub_list link;  /* in pushers.all */
  struct pushers *pushers;
  struct pubsub_url url;
  struct pace pace;
  struct alarm resume;
  struct pubsub_list deliveries; /* oldest first */
  size_t count;
  char *token; /* NULL: not made yet */
  int64_t token_until_s;
};

/* A lent message on its way. The message itself is found by its ack id: it may be gone. */
struct delivery {
  struct pubsub_list link;
  struct pusher *pusher;
  struct pubsub_http_call *call; /* NULL: waits for its key */
  char ack_id[ACK_ID_BYTES + 1];
};

static struct pusher *of(const struct consumer *consumer) {
  return PUBSUB_CONTAINER_OF((struct consumer *)(uintptr_t)consumer, struct pusher, consumer);
}

static uint64_t now_us(const struct pusher *pusher) {
  return clock_now_us(&pusher->consumer.subscription->world->clock);
}

static struct message *message_of(const struct delivery *delivery) {
  return lending_find(delivery->pusher->consumer.subscription, pubsub_view_str(delivery->ack_id));
}

/* ---- settling ---- */

static void drop(struct delivery *delivery) {
  if (delivery->call) pubsub_http_call_cancel(delivery->call);
  delivery->pusher->count--;
  pubsub_list_remove(&delivery->link);
  pubsub_free(delivery);
}

static void start_waiting(struct pusher *pusher);

static bool acknowledges(int status) {
  return status == 102 || status == 200 || status == 201 || status == 202 || status == 204;
}

static void settle(struct delivery *delivery, bool good) {
  struct pusher *pusher = delivery->pusher;
  struct subscription *subscription = pusher->consumer.subscription;
  struct message *message = message_of(delivery);
  drop(delivery);
  if (good) {
    pace_succeeded(&pusher->pace);
  } else {
    pace_failed(&pusher->pace, now_us(pusher));
    clock_alarm_set(&subscription->world->clock, &pusher->resume, pusher->pace.resume_us);
  }
  if (message && good) backlog_acknowledge(subscription, message);
  if (message && !good) backlog_set_deadline(subscription, message, 0);
  start_waiting(pusher);
  delivery_wake(subscription);
}

static void on_answer(void *user, const struct pubsub_http_answer *answer,
                      const struct pubsub_error *error) {
  struct delivery *delivery = user;
  (void)error;
  delivery->call = NULL;
  settle(delivery, answer && acknowledges(answer->status));
}

/* ---- sending ---- */

/* NULL: the endpoint asks for none, or no memory. */
static const char *token_of(struct pusher *pusher) {
  struct subscription *subscription = pusher->consumer.subscription;
  const Google__Pubsub__V1__PushConfig *push = subscription->config->push_config;
  int64_t now_s = clock_wall_us(&subscription->world->clock) / 1000000;
  if (push->authentication_method_case !=
      GOOGLE__PUBSUB__V1__PUSH_CONFIG__AUTHENTICATION_METHOD_OIDC_TOKEN) {
    return NULL;
  }
  if (pusher->token && now_s < pusher->token_until_s) return pusher->token;
  const Google__Pubsub__V1__PushConfig__OidcToken *oidc = push->oidc_token;
  pubsub_free(pusher->token);
  pusher->token = identity_token(&pusher->pushers->identity, oidc->service_account_email,
                                 oidc->audience[0] ? oidc->audience : push->push_endpoint, now_s);
  pusher->token_until_s = now_s + TOKEN_LIFE_S;
  return pusher->token;
}

/* False: it cannot be sent now. */
static bool send(struct delivery *delivery, const struct message *message) {
  struct pusher *pusher = delivery->pusher;
  struct subscription *subscription = pusher->consumer.subscription;
  struct pubsub_http_call_options options = {
      .url = &pusher->url,
      .timeout_ms = (uint32_t)subscription->config->ack_deadline_seconds * 1000,
      .ends_at_102 = true};
  struct pubsub_buf request = {0};
  bool sent =
      payload_write(&request, &pusher->url, subscription, message, token_of(pusher)) == PUBSUB_OK &&
      pubsub_http_call_start(pusher->pushers->loop, &options, &request, on_answer, delivery,
                             &delivery->call, NULL) == PUBSUB_OK;
  pubsub_buf_clear(&request);
  return sent;
}

/* An earlier one of its key has not been settled yet. */
static bool must_wait(const struct delivery *delivery, const struct message *message) {
  const struct pubsub_list *link = delivery->pusher->deliveries.next;
  for (; message->key && link != &delivery->link; link = link->next) {
    const struct message *other = message_of(PUBSUB_CONTAINER_OF(link, struct delivery, link));
    if (other && other->key == message->key) return true;
  }
  return false;
}

/* Those whose turn has come; what was taken back meanwhile is dropped. */
static void start_waiting(struct pusher *pusher) {
  struct pubsub_list *link = pusher->deliveries.next, *next;
  for (; link != &pusher->deliveries; link = next) {
    struct delivery *delivery = PUBSUB_CONTAINER_OF(link, struct delivery, link);
    next = link->next;
    if (delivery->call) continue;
    struct message *message = message_of(delivery);
    if (message && must_wait(delivery, message)) continue;
    if (message && send(delivery, message)) continue;
    drop(delivery);
    if (message) backlog_set_deadline(pusher->consumer.subscription, message, 0);
  }
}

/* ---- lending ---- */

static bool has_room(const struct consumer *consumer) {
  const struct pusher *pusher = of(consumer);
  return pace_allows(&pusher->pace, pusher->count, now_us(pusher));
}

static struct delivery *add(struct pusher *pusher, const struct message *message) {
  struct delivery *delivery = pubsub_alloc_zero(1, sizeof *delivery);
  if (!delivery) return NULL;
  delivery->pusher = pusher;
  lending_ack_id(pusher->consumer.subscription, message, delivery->ack_id);
  pubsub_list_push_back(&pusher->deliveries, &delivery->link);
  pusher->count++;
  return delivery;
}

static bool serve(struct consumer *consumer, size_t most) {
  struct pusher *pusher = of(consumer);
  struct subscription *subscription = consumer->subscription;
  bool served = false;
  while (most-- > 0 && has_room(consumer)) {
    uint64_t due = now_us(pusher) + (uint64_t)subscription->config->ack_deadline_seconds * 1000000;
    struct message *message = backlog_lend(subscription, consumer, due);
    if (!message) break;
    if (!add(pusher, message)) {
      backlog_unlend(subscription, message);
      break;
    }
    served = true;
  }
  if (served) start_waiting(pusher);
  return served;
}

static void end(struct consumer *consumer, int grpc_code, const char *why) {
  struct pusher *pusher = of(consumer);
  struct subscription *subscription = consumer->subscription;
  (void)grpc_code;
  (void)why;
  while (!pubsub_list_empty(&pusher->deliveries))
    drop(PUBSUB_CONTAINER_OF(pusher->deliveries.next, struct delivery, link));
  backlog_forget(subscription, consumer);
  clock_alarm_cancel(&subscription->world->clock, &pusher->resume);
  pubsub_list_remove(&consumer->link);
  pubsub_list_remove(&pusher->link);
  pubsub_free(pusher->token);
  pubsub_free(pusher);
}

static const struct consumer_ops ops = {.has_room = has_room, .serve = serve, .end = end};

/* ---- who pushes ---- */

static void on_resume(struct alarm *alarm) {
  delivery_wake(PUBSUB_CONTAINER_OF(alarm, struct pusher, resume)->consumer.subscription);
}

static struct pusher *find(const struct pushers *pushers, const struct subscription *subscription) {
  for (struct pubsub_list *link = pushers->all.next; link != &pushers->all; link = link->next) {
    struct pusher *pusher = PUBSUB_CONTAINER_OF(link, struct pusher, link);
    if (pusher->consumer.subscription == subscription) return pusher;
  }
  return NULL;
}

static void warn(const struct pushers *pushers, const struct subscription *subscription,
                 const char *why) {
  char text[700];
  snprintf(text, sizeof text, "%.255s is not pushed: %s", subscription->config->name, why);
  if (pushers->on_warning) pushers->on_warning(pushers->user, text);
}

/* Whether it is to be pushed, and where to. */
static bool wants(const struct pushers *pushers, const struct subscription *subscription,
                  struct pubsub_url *url) {
  const Google__Pubsub__V1__PushConfig *push = subscription->config->push_config;
  if (!push || !push->push_endpoint[0] || subscription->config->detached) return false;
  if (!endpoint_parse(push->push_endpoint, url)) {
    warn(pushers, subscription, "its endpoint is not http://");
    return false;
  }
  if (pushers->anywhere || endpoint_is_local(url)) return true;
  warn(pushers, subscription, "its endpoint is on another host, and --push-anywhere was not given");
  return false;
}

static struct pusher *start(struct pushers *pushers, struct subscription *subscription) {
  struct pusher *pusher = pubsub_alloc_zero(1, sizeof *pusher);
  if (!pusher) return NULL;
  consumer_init(&pusher->consumer, &ops, subscription);
  pusher->pushers = pushers;
  pusher->resume.run = on_resume;
  pubsub_list_init(&pusher->deliveries);
  pubsub_list_push_back(&subscription->streams, &pusher->consumer.link);
  pubsub_list_push_back(&pushers->all, &pusher->link);
  return pusher;
}

void pushers_look(struct pushers *pushers, struct subscription *subscription) {
  struct pusher *pusher = find(pushers, subscription);
  struct pubsub_url url;
  if (!wants(pushers, subscription, &url)) {
    if (pusher) end(&pusher->consumer, 0, "");
    return;
  }
  if (!pusher) pusher = start(pushers, subscription);
  if (!pusher) {
    warn(pushers, subscription, "out of memory");
    return;
  }
  if (memcmp(&pusher->url, &url, sizeof url) != 0) pace_init(&pusher->pace);
  pusher->url = url;
  pubsub_free(pusher->token);
  pusher->token = NULL;
  delivery_wake(subscription);
}

void pushers_init(struct pushers *pushers, struct pubsub_loop *loop, bool anywhere,
                  void (*on_warning)(void *user, const char *text), void *user) {
  *pushers =
      (struct pushers){.loop = loop, .anywhere = anywhere, .on_warning = on_warning, .user = user};
  pubsub_list_init(&pushers->all);
}

void pushers_clear(struct pushers *pushers) {
  identity_clear(&pushers->identity);
}
