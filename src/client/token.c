/* Tokens: whether the service has refused one, and a new one's way to the loops: made into a header
 * on the caller's thread, swapped in on each loop's, which cannot fail. */
#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include "client/client.h"

struct token_task {
  struct pubsub_task task;
  struct token_task *next; /* of the next lane */
  struct pubsub_client_lane *lane;
  struct pubsub_buf authorization; /* "Bearer …"; a secret */
};

static void on_loop(struct pubsub_task *task) {
  struct token_task *self = PUBSUB_CONTAINER_OF(task, struct token_task, task);
  pubsub_channel_set_authorization(self->lane->channel, &self->authorization);
  pubsub_free(self);
}

static void discard(struct token_task *tasks) {
  while (tasks) {
    struct token_task *next = tasks->next;
    pubsub_buf_wipe(&tasks->authorization);
    pubsub_free(tasks);
    tasks = next;
  }
}

static enum pubsub_status write_header(struct pubsub_buf *out, const char *token,
                                       size_t token_bytes) {
  static const char scheme[] = "Bearer ";
  if (pubsub_buf_reserve(out, sizeof scheme - 1 + token_bytes) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  pubsub_buf_append(out, scheme, sizeof scheme - 1);
  return pubsub_buf_append(out, token, token_bytes);
}

/* One task a lane, or none at all. */
static struct token_task *make_tasks(struct pubsub_client *client, const char *token,
                                     size_t token_bytes) {
  struct token_task *tasks = NULL;
  for (size_t i = 0; i < client->lane_count; i++) {
    struct token_task *task = pubsub_alloc_zero(1, sizeof *task);
    if (task) {
      *task = (struct token_task){{.run = on_loop}, tasks, &client->lanes[i], {0}};
      tasks = task;
    }
    if (!task || write_header(&task->authorization, token, token_bytes) != PUBSUB_OK) {
      discard(tasks);
      return NULL;
    }
  }
  return tasks;
}

static bool is_printable(const char *token, size_t token_bytes) {
  for (size_t i = 0; i < token_bytes; i++) {
    if (token[i] <= ' ' || token[i] > '~') return false;
  }
  return token_bytes > 0;
}

enum pubsub_status pubsub_client_set_token(struct pubsub_client *client, const char *token,
                                           size_t token_bytes, struct pubsub_error *error) {
  if (!client->tls) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "a token is never sent over a plaintext connection");
  }
  if (!is_printable(token, token_bytes)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "the token is empty, or has a character that no header may have");
  }
  struct token_task *tasks = make_tasks(client, token, token_bytes), *next;
  if (!tasks) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  for (; tasks; tasks = next) {
    next = tasks->next;
    pubsub_loop_post(tasks->lane->loop, &tasks->task);
  }
  return PUBSUB_OK;
}

uint64_t pubsub_client_unauthenticated_count(struct pubsub_client *client) {
  uint64_t count = 0;
  for (size_t i = 0; i < client->lane_count; i++) {
    count += pubsub_channel_unauthenticated_count(client->lanes[i].channel);
  }
  return count;
}
