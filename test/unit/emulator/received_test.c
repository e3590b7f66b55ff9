#include "world.h"

#include "api/received.h"

/* Written by hand, read by the generated code. */
static void it_is_a_received_message(void **state) {
  struct test_world world;
  struct test_consumer consumer;
  uint8_t bytes[200];
  char id[ACK_ID_BYTES + 1];
  (void)state;
  world_set_up(&world);
  consume(&consumer, world.subscription, 0);
  world.broker.world.next_message_id = 98765;
  publish(&world, "a", "key");
  take_all(&consumer);
  struct message *message = consumer.got[0];
  for (int dead = 0; dead < 2; dead++) {
    if (dead) {
      Google__Pubsub__V1__DeadLetterPolicy *policy = calloc(1, sizeof *policy);
      google__pubsub__v1__dead_letter_policy__init(policy);
      world.subscription->config->dead_letter_policy = policy;
    }
    size_t len = received_bytes(world.subscription, message);
    assert_ptr_equal(received_write(world.subscription, message, bytes), bytes + len);
    Google__Pubsub__V1__PullResponse *read =
        google__pubsub__v1__pull_response__unpack(NULL, len, bytes);
    assert_non_null(read);
    assert_int_equal(read->n_received_messages, 1);
    const Google__Pubsub__V1__ReceivedMessage *received = read->received_messages[0];
    lending_ack_id(world.subscription, message, id);
    assert_string_equal(received->ack_id, id);
    assert_int_equal(received->delivery_attempt, dead);
    assert_string_equal(received->message->message_id, "98765");
    assert_string_equal(received->message->ordering_key, "key");
    assert_int_equal(received->message->data.len, 1);
    assert_true(received->message->publish_time->seconds * 1000000 +
                    received->message->publish_time->nanos / 1000 ==
                message->publish_time_us);
    google__pubsub__v1__pull_response__free_unpacked(read, NULL);
  }
  world_tear_down(&world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(it_is_a_received_message, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
