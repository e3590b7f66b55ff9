/* Pull: answers at once where there are messages, otherwise when some come, or empty after a while. */
#include "services.h"

#include "base/alloc.h"

#define WAIT_US 90000000 /* the service answers empty after a similar time */
#define MAX_RESPONSE_BYTES ((size_t)8 << 20)

struct pull {
  struct pubsub_list link; /* in subscription.pulls */
  struct pubsub_timer timer;
  struct rpc *rpc;
  struct subscription *subscription; /* NULL: answered */
  struct consumer consumer;
  size_t max_messages;
};

static void forget(struct pull *pull) {
  if (!pull->subscription) return;
  pubsub_loop_timer_cancel(pull->subscription->broker->loop, &pull->timer);
  pubsub_list_remove(&pull->link);
  pull->subscription = NULL;
}

/* False: nothing to give. */
static bool answer(struct pull *pull, bool even_empty) {
  struct subscription *subscription = pull->subscription;
  struct pubsub_buf response = {0}, lent = {0};
  uint64_t deadline = broker_now_us(subscription->broker) +
                      (uint64_t)subscription->config->ack_deadline_seconds * 1000000;
  for (size_t i = 0; i < pull->max_messages && response.len < MAX_RESPONSE_BYTES; i++) {
    struct message *message = backlog_lend(subscription, &pull->consumer, deadline);
    if (!message) break;
    if (pubsub_buf_reserve(&response, received_bytes(subscription, message)) != PUBSUB_OK ||
        pubsub_buf_append(&lent, &message, sizeof message) != PUBSUB_OK) {
      backlog_unlend(subscription, message);
      break;
    }
    uint8_t *end = received_write(subscription, message, response.ptr + response.len);
    response.len = (size_t)(end - response.ptr);
  }
  backlog_release(&pull->consumer, (struct message **)(void *)lent.ptr,
                  lent.len / sizeof(struct message *));
  pubsub_buf_clear(&lent);
  if (response.len == 0 && !even_empty) return false;
  struct rpc *rpc = pull->rpc;
  forget(pull);
  rpc_reply(rpc, &response);
  return true;
}

static void on_wait_over(struct pubsub_timer *timer) {
  answer(PUBSUB_CONTAINER_OF(timer, struct pull, timer), true);
}

void pull_on_message(struct rpc *rpc, struct pubsub_buf *take_request) {
  Google__Pubsub__V1__PullRequest *request =
      unpack_request(rpc, &google__pubsub__v1__pull_request__descriptor, take_request);
  if (!request) return;
  struct subscription *subscription = require_subscription(rpc, request->subscription);
  if (!subscription || rpc->state) goto done;
  if (subscription->detached) {
    rpc_fail(rpc, PUBSUB_GRPC_FAILED_PRECONDITION, "the subscription is detached");
    goto done;
  }
  if (request->max_messages <= 0) {
    rpc_fail(rpc, PUBSUB_GRPC_INVALID_ARGUMENT, "max_messages must be positive");
    goto done;
  }
  struct pull *pull = pubsub_alloc_zero(1, sizeof *pull);
  if (!pull) {
    rpc_fail(rpc, PUBSUB_GRPC_RESOURCE_EXHAUSTED, "out of memory");
    goto done;
  }
  *pull = (struct pull){.rpc = rpc,
                        .subscription = subscription,
                        .max_messages = (size_t)request->max_messages,
                        .timer.run = on_wait_over};
  consumer_init(&pull->consumer, subscription);
  rpc->state = pull;
  pubsub_list_push_back(&subscription->pulls, &pull->link);
  if (!answer(pull, request->return_immediately)) {
    struct pubsub_loop *loop = subscription->broker->loop;
    pubsub_loop_timer_set(loop, &pull->timer, pubsub_loop_now_us(loop) + WAIT_US);
  }
done:
  google__pubsub__v1__pull_request__free_unpacked(request, NULL);
}

void pull_on_closed(struct rpc *rpc) {
  struct pull *pull = rpc->state;
  if (!pull) return;
  forget(pull);
  pubsub_free(pull);
}

void pull_serve(struct subscription *subscription) {
  while (!pubsub_list_empty(&subscription->pulls)) {
    if (!answer(PUBSUB_CONTAINER_OF(subscription->pulls.next, struct pull, link), false)) break;
  }
}

void pull_end_all(struct subscription *subscription, int grpc_code, const char *message) {
  while (!pubsub_list_empty(&subscription->pulls)) {
    struct pull *pull = PUBSUB_CONTAINER_OF(subscription->pulls.next, struct pull, link);
    struct rpc *rpc = pull->rpc;
    forget(pull);
    rpc_fail(rpc, grpc_code, "%s", message);
  }
}
