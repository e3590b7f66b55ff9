#include "client/client.h"

#include <stdlib.h>

#define TOKEN_TIMEOUT_MS 30000

enum pubsub_status pubsub_client_from_environment(struct pubsub_client **out,
                                                  struct pubsub_error *error) {
  const char *emulator = getenv("PUBSUB_EMULATOR_HOST");
  if (emulator && !*emulator) emulator = NULL;
  struct pubsub_client_options options = {.endpoint = emulator, .plaintext = emulator != NULL};
  struct pubsub_client *client;
  enum pubsub_status status = pubsub_client_new(&options, &client, error);
  if (status != PUBSUB_OK || emulator) {
    if (status == PUBSUB_OK) *out = client;
    return status;
  }
  status = pubsub_client_use_credentials(client, NULL, TOKEN_TIMEOUT_MS, error);
  if (status == PUBSUB_OK) {
    *out = client;
  } else {
    pubsub_client_destroy(client);
  }
  return status;
}
