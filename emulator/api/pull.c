/* Pull: answers at once where there are messages, otherwise when some come, or empty after a
 * while. */
#include "api/methods.h"
#include "api/received.h"
#include "api/resources.h"
#include "base/alloc.h"
#include "model/backlog.h"
#include "model/delivery.h"

#define WAIT_US UINT64_C(90000000)   /* the service answers empty after a similar time */
#define RESERVE_US UINT64_C(1000000) /* at most, for an answer's way back */
#define MAX_RESPONSE_BYTES ((size_t)8 << 20)

struct pull {
  struct consumer consumer; /* consumer.subscription NULL: answered */
  struct alarm patience;
  struct call *call;
  size_t max_messages;
};

static struct pull *of(struct consumer *consumer) {
  return PUBSUB_CONTAINER_OF(consumer, struct pull, consumer);
}

static void forget(struct pull *pull) {
  struct subscription *subscription = pull->consumer.subscription;
  if (!subscription) return;
  clock_alarm_cancel(&subscription->world->clock, &pull->patience);
  pubsub_list_remove(&pull->consumer.link);
  pull->consumer.subscription = NULL;
}

/* Lends what the response takes, and gives the loans up to nobody. */
static void fill(struct pull *pull, struct pubsub_buf *response) {
  struct subscription *subscription = pull->consumer.subscription;
  struct pubsub_buf lent = {0};
  uint64_t deadline = clock_now_us(&subscription->world->clock) +
                      (uint64_t)subscription->config->ack_deadline_seconds * 1000000;
  for (size_t i = 0; i < pull->max_messages && response->len < MAX_RESPONSE_BYTES; i++) {
    struct message *message = backlog_lend(subscription, &pull->consumer, deadline);
    if (!message) break;
    if (pubsub_buf_reserve(response, received_bytes(subscription, message)) != PUBSUB_OK ||
        pubsub_buf_append(&lent, &message, sizeof message) != PUBSUB_OK) {
      backlog_unlend(subscription, message);
      break;
    }
    uint8_t *end = received_write(subscription, message, response->ptr + response->len);
    response->len = (size_t)(end - response->ptr);
  }
  backlog_release(&pull->consumer, (struct message **)(void *)lent.ptr,
                  lent.len / sizeof(struct message *));
  pubsub_buf_clear(&lent);
}

/* False: nothing to give. */
static bool answer(struct pull *pull, bool even_empty) {
  struct pubsub_buf response = {0};
  fill(pull, &response);
  if (response.len == 0 && !even_empty) return false;
  forget(pull);
  call_reply_bytes(pull->call, &response);
  return true;
}

static bool serve(struct consumer *consumer, size_t most) {
  (void)most; /* it is alone */
  return answer(of(consumer), false);
}

static void end(struct consumer *consumer, int grpc_code, const char *why) {
  forget(of(consumer));
  call_fail(of(consumer)->call, grpc_code, "%s", why);
}

static bool has_room(const struct consumer *consumer) {
  (void)consumer;
  return true;
}

static const struct consumer_ops ops = {.has_room = has_room, .serve = serve, .end = end};

static void on_wait_over(struct alarm *alarm) {
  answer(PUBSUB_CONTAINER_OF(alarm, struct pull, patience), true);
}

/* False: the call was failed. */
static bool check(struct call *call, const struct subscription *subscription,
                  const Google__Pubsub__V1__PullRequest *request) {
  if (subscription->detached) {
    call_fail(call, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription is detached");
    return false;
  }
  if (request->max_messages <= 0) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "max_messages must be positive");
    return false;
  }
  return true;
}

/* The client is to have its answer before it gives up. */
static uint64_t patience_us(const struct call *call) {
  uint64_t timeout = call->timeout_us, reserve = timeout / 4;
  if (timeout > WAIT_US + RESERVE_US) return WAIT_US;
  return timeout - (reserve < RESERVE_US ? reserve : RESERVE_US);
}

static void begin(struct pull *pull, bool even_empty) {
  struct subscription *subscription = pull->consumer.subscription;
  struct clock *clock = &subscription->world->clock;
  pubsub_list_push_back(&subscription->pulls, &pull->consumer.link);
  if (!answer(pull, even_empty)) {
    clock_alarm_set(clock, &pull->patience, clock_now_us(clock) + patience_us(pull->call));
  }
}

static void pull(struct call *call, void *message) {
  const Google__Pubsub__V1__PullRequest *request = message;
  struct subscription *subscription = require_subscription(call, request->subscription);
  if (!subscription || call->state || !check(call, subscription, request)) return;
  struct pull *made = pubsub_alloc_zero(1, sizeof *made);
  if (!made) {
    fail_no_memory(call);
    return;
  }
  *made = (struct pull){
      .call = call, .max_messages = (size_t)request->max_messages, .patience.run = on_wait_over};
  consumer_init(&made->consumer, &ops, subscription);
  call->state = made;
  begin(made, request->return_immediately);
}

static void on_closed(struct call *call) {
  struct pull *pull = call->state;
  if (!pull) return;
  forget(pull);
  pubsub_free(pull);
}

const struct method pull_methods[] = {
    {.path = SUBSCRIBER "Pull",
     .request = &google__pubsub__v1__pull_request__descriptor,
     .response = &google__pubsub__v1__pull_response__descriptor,
     .on_request = pull,
     .on_closed = on_closed},
    {0},
};
