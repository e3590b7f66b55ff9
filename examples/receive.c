/* Counts and acknowledges what comes until nothing does for three seconds: receive NAME */
#include <pubsub/pubsub.h>
#include <stdio.h>

int main(int argc, char **argv) {
  struct pubsub_subscriber_options what = {.subscription = argc > 1 ? argv[1] : NULL};
  struct pubsub_client *client = NULL;
  struct pubsub_subscriber *subscriber = NULL;
  struct pubsub_chunk *chunk;
  struct pubsub_chunk_place place;
  struct pubsub_error error = {0};
  bool good = pubsub_client_from_environment(&client, &error) == PUBSUB_OK &&
              pubsub_subscriber_new(client, &what, &subscriber, &error) == PUBSUB_OK &&
              pubsub_subscriber_open_slot(subscriber, 0, 1, 0, &error) == PUBSUB_OK;
  while (good && pubsub_subscriber_next(subscriber, 3000, &chunk, &place, &error) == PUBSUB_OK) {
    printf("%u messages\n", place.rows);
    pubsub_chunk_unref(chunk);
    pubsub_subscriber_settle_chunk(subscriber, &place, PUBSUB_ACK);
  }
  fprintf(stderr, "receive: %s\n", error.text);
  if (subscriber) pubsub_subscriber_close(subscriber, 10000, NULL); /* acknowledged, confirmed */
  pubsub_subscriber_destroy(subscriber);
  pubsub_client_destroy(client);
  return error.status == PUBSUB_E_TIMEOUT ? 0 : 1;
}
