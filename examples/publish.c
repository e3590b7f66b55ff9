/* Publishes words: publish projects/P/topics/T hello world */
#include <pubsub/pubsub.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
  struct pubsub_publisher_options what = {.topic = argc > 1 ? argv[1] : NULL};
  struct pubsub_client *client = NULL;
  struct pubsub_publisher *publisher = NULL;
  struct pubsub_error error = {0};
  bool good = pubsub_client_from_environment(&client, &error) == PUBSUB_OK &&
              pubsub_publisher_new(client, &what, &publisher, &error) == PUBSUB_OK;
  for (int i = 2; good && i < argc; i++) {
    struct pubsub_message message = {.data = {(const uint8_t *)argv[i], strlen(argv[i])}};
    good = pubsub_publisher_publish(publisher, &message, 1, &error) == PUBSUB_OK;
  }
  if (good) good = pubsub_publisher_flush(publisher, 60000, &error) == PUBSUB_OK;
  if (!good) fprintf(stderr, "publish: %s\n", error.text);
  pubsub_publisher_destroy(publisher);
  pubsub_client_destroy(client);
  return good ? 0 : 1;
}
