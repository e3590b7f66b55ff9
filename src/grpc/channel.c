#include "grpc/channel.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "base/wipe.h"
#include "grpc/connections.h"
#include <stdatomic.h>
#include <stdio.h>

struct pubsub_channel {
  struct pubsub_call_context context; /* of its calls */
  struct pubsub_connections connections;
  char *host, *user_agent, *quota_project; /* owned */
  struct pubsub_proxy proxy;               /* has a secret */
  char authority[280];
  atomic_uint_fast64_t unauthenticated;
};

/* ---- what calls tell ---- */

static void on_answered(void *owner) {
  struct pubsub_channel *channel = owner;
  pubsub_connections_answered(&channel->connections);
}

static void on_unauthenticated(void *owner) {
  struct pubsub_channel *channel = owner;
  atomic_fetch_add_explicit(&channel->unauthenticated, 1, memory_order_relaxed);
}

uint64_t pubsub_channel_unauthenticated_count(const struct pubsub_channel *channel) {
  return atomic_load_explicit(&((struct pubsub_channel *)channel)->unauthenticated,
                              memory_order_relaxed);
}

/* ---- life ---- */

bool pubsub_channel_is_plaintext(const struct pubsub_channel *channel) {
  return !channel->context.tls;
}

uint32_t pubsub_channel_keepalive_ms(const struct pubsub_channel *channel) {
  return channel->connections.target.keepalive_ms;
}

struct pubsub_loop *pubsub_channel_loop(const struct pubsub_channel *channel) {
  return channel->context.loop;
}

void pubsub_channel_set_authorization(struct pubsub_channel *channel,
                                      struct pubsub_buf *take_authorization) {
  PUBSUB_ON_LOOP(channel->context.loop);
  pubsub_buf_wipe(&channel->context.authorization);
  channel->context.authorization = *take_authorization;
  *take_authorization = (struct pubsub_buf){0};
}

static void channel_free(struct pubsub_channel *channel) {
  pubsub_free(channel->host);
  pubsub_free(channel->user_agent);
  pubsub_free(channel->quota_project);
  pubsub_buf_wipe(&channel->context.authorization);
  pubsub_wipe(&channel->proxy, sizeof channel->proxy);
  pubsub_free(channel);
}

static uint32_t or_default(uint32_t value, uint32_t otherwise) {
  return value ? value : otherwise;
}

static struct pubsub_target target_of(const struct pubsub_channel *channel,
                                      const struct pubsub_channel_options *options) {
  return (struct pubsub_target){
      .host = channel->host,
      .port = options->port,
      .tls = options->tls,
      .proxy = options->proxy ? &channel->proxy : NULL,
      .connect_timeout_ms = or_default(options->connect_timeout_ms, 10000),
      .keepalive_ms = or_default(options->keepalive_ms, 30000),
      .idle_ms = or_default(options->idle_ms, 240000),
      .stream_window_bytes = or_default(options->stream_window_bytes, 64u << 10)};
}

static bool copy_texts(struct pubsub_channel *channel,
                       const struct pubsub_channel_options *options) {
  const char *quota_project = options->quota_project;
  channel->host = pubsub_text_copy(options->host);
  channel->user_agent = pubsub_text_copy(options->user_agent ? options->user_agent : "libpubsub");
  if (quota_project) channel->quota_project = pubsub_text_copy(quota_project);
  if (options->proxy) channel->proxy = *options->proxy;
  snprintf(channel->authority, sizeof channel->authority,
           strchr(options->host, ':') ? "[%s]:%u" : "%s:%u", options->host, options->port);
  return channel->host && channel->user_agent && (channel->quota_project || !quota_project);
}

enum pubsub_status pubsub_channel_new(struct pubsub_loop *loop,
                                      const struct pubsub_channel_options *options,
                                      struct pubsub_channel **out, struct pubsub_error *error) {
  struct pubsub_channel *channel = pubsub_alloc_zero(1, sizeof *channel);
  if (!channel || !copy_texts(channel, options)) {
    if (channel) channel_free(channel);
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  }
  channel->context = (struct pubsub_call_context){.loop = loop,
                                                  .authority = channel->authority,
                                                  .user_agent = channel->user_agent,
                                                  .quota_project = channel->quota_project,
                                                  .tls = options->tls != NULL,
                                                  .on_answered = on_answered,
                                                  .on_unauthenticated = on_unauthenticated,
                                                  .owner = channel};
  struct pubsub_target target = target_of(channel, options);
  pubsub_connections_init(&channel->connections, loop, &target, &channel->context);
  *out = channel;
  return PUBSUB_OK;
}

void pubsub_channel_destroy(struct pubsub_channel *channel) {
  struct pubsub_error why = {0};
  if (!channel) return;
  PUBSUB_ON_LOOP(channel->context.loop);
  pubsub_error_set(&why, PUBSUB_E_CLOSED, "the client was closed");
  pubsub_connections_clear(&channel->connections, &why);
  channel_free(channel);
}

/* ---- calls ---- */

enum pubsub_status pubsub_call_start(struct pubsub_channel *channel,
                                     const struct pubsub_call_options *options,
                                     const struct pubsub_call_handler *handler, void *user,
                                     struct pubsub_call **out, struct pubsub_error *error) {
  PUBSUB_ON_LOOP(channel->context.loop);
  if (pubsub_call_new(&channel->context, options, handler, user, out) != PUBSUB_OK) {
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  }
  pubsub_connections_add(&channel->connections, *out);
  return PUBSUB_OK;
}
