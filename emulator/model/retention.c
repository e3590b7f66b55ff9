#include "model/retention.h"

#include "model/times.h"

#define WEEK_US INT64_C(604800000000)

void retention_retire(struct subscription *subscription, struct message *message) {
  if (subscription->config->retain_acked_messages) {
    message->state = MESSAGE_ACKNOWLEDGED;
    message->key = NULL;
    pubsub_list_push_back(&subscription->retained, &message->link);
  } else {
    message_free(message);
  }
}

int64_t retention_begins_us(const struct subscription *subscription, int64_t wall_us) {
  return wall_us - times_duration_us(subscription->config->message_retention_duration, WEEK_US);
}
