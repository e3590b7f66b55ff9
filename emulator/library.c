/* include/pubsub/emulator.h: the server on a loop and a thread of its own. */
#include <pubsub/emulator.h>

#include "base/alloc.h"
#include "base/error.h"
#include "server.h"
#include <string.h>

struct pubsub_emulator {
  struct pubsub_loop *loop;
  struct server *server;
  uint16_t port;
};

/* A command, as it crosses to the loop's thread and back. */
struct command {
  struct server *server;
  const char *text;
  struct pubsub_buf answer;
  struct pubsub_error *error;
  enum pubsub_status status;
};

static struct server_options options_of(const struct pubsub_emulator_options *from) {
  return (struct server_options){.address = from->address ? from->address : "127.0.0.1",
                                 .port = from->port,
                                 .listen_fd = from->listen_fd,
                                 .seed = from->seed ? from->seed : 1,
                                 .record = from->record,
                                 .require_token = from->require_token,
                                 .data_dir = from->data_dir,
                                 .push_anywhere = from->push_anywhere,
                                 .sync_interval = from->sync_interval};
}

static enum pubsub_status begin(struct pubsub_emulator *emulator,
                                const struct pubsub_emulator_options *options,
                                struct pubsub_error *error) {
  struct server_options inner = options_of(options);
  enum pubsub_status status = pubsub_loop_new(&emulator->loop, error);
  if (status == PUBSUB_OK) status = server_new(emulator->loop, &inner, &emulator->server, error);
  if (status == PUBSUB_OK && options->config) {
    status = server_add_config(emulator->server, options->config, error);
  }
  if (status == PUBSUB_OK) status = server_commit(emulator->server, error);
  if (status == PUBSUB_OK) {
    emulator->port = server_port(emulator->server);
    status = pubsub_loop_start_thread(emulator->loop, "pubsub-emulator", error);
  }
  return status;
}

static void end(struct pubsub_emulator *emulator) {
  server_destroy(emulator->server);
  if (emulator->loop) pubsub_loop_destroy(emulator->loop);
  pubsub_free(emulator);
}

enum pubsub_status pubsub_emulator_start(const struct pubsub_emulator_options *options,
                                         struct pubsub_emulator **out, struct pubsub_error *error) {
  struct pubsub_emulator *emulator = pubsub_alloc_zero(1, sizeof *emulator);
  if (!emulator) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  enum pubsub_status status = begin(emulator, options, error);
  if (status == PUBSUB_OK) {
    *out = emulator;
  } else {
    end(emulator);
  }
  return status;
}

uint16_t pubsub_emulator_port(const struct pubsub_emulator *emulator) {
  return emulator->port;
}

static void run(void *user) {
  struct command *command = user;
  command->status =
      server_command(command->server, command->text, &command->answer, command->error);
}

enum pubsub_status pubsub_emulator_control(struct pubsub_emulator *emulator, const char *command,
                                           char *out, size_t out_bytes,
                                           struct pubsub_error *error) {
  struct command crossing = {.server = emulator->server, .text = command, .error = error};
  pubsub_loop_call(emulator->loop, run, &crossing);
  size_t len = crossing.answer.len < out_bytes ? crossing.answer.len : out_bytes - 1;
  if (out_bytes > 0) {
    if (len > 0) memcpy(out, crossing.answer.ptr, len);
    out[len] = '\0';
  }
  pubsub_buf_clear(&crossing.answer);
  return crossing.status;
}

void pubsub_emulator_stop(struct pubsub_emulator *emulator) {
  if (!emulator) return;
  pubsub_loop_join(emulator->loop);
  end(emulator);
}
