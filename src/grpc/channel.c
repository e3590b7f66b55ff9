#include "grpc/channel.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "grpc/pool.h"
#include <stdio.h>

/* ---- what calls ask ---- */

void pubsub_channel_add(struct pubsub_channel *channel, struct pubsub_call *call) {
  pubsub_list_push_back(&channel->waiting, &call->link);
  pubsub_pool_dispatch(channel);
}

void pubsub_channel_works(struct pubsub_channel *channel) {
  pubsub_backoff_reset(&channel->backoff);
}

void pubsub_channel_count_unauthenticated(struct pubsub_channel *channel) {
  atomic_fetch_add_explicit(&channel->unauthenticated, 1, memory_order_relaxed);
}

struct pubsub_view pubsub_channel_authorization(const struct pubsub_channel *channel) {
  if (!channel->options.tls) return (struct pubsub_view){0}; /* never over plaintext */
  return pubsub_view_of(channel->authorization.ptr, channel->authorization.len);
}

const struct pubsub_channel_options *pubsub_channel_options(const struct pubsub_channel *channel) {
  return &channel->options;
}

const char *pubsub_channel_authority(const struct pubsub_channel *channel) {
  return channel->authority;
}

const struct pubsub_error *pubsub_channel_dial_error(const struct pubsub_channel *channel) {
  return &channel->dial_error;
}

/* ---- life ---- */

uint64_t pubsub_channel_unauthenticated_count(const struct pubsub_channel *channel) {
  return atomic_load_explicit(&((struct pubsub_channel *)channel)->unauthenticated,
                              memory_order_relaxed);
}

uint32_t pubsub_channel_keepalive_ms(const struct pubsub_channel *channel) {
  return channel->options.keepalive_ms;
}

struct pubsub_loop *pubsub_channel_loop(const struct pubsub_channel *channel) {
  return channel->loop;
}

void pubsub_channel_set_authorization(struct pubsub_channel *channel,
                                      struct pubsub_buf *take_authorization) {
  pubsub_buf_wipe(&channel->authorization);
  channel->authorization = *take_authorization;
  *take_authorization = (struct pubsub_buf){0};
}

static bool copy_string(const char **field, char **owned) {
  if (!*field) return true;
  *field = *owned = pubsub_text_copy(*field);
  return *owned != NULL;
}

static void channel_free(struct pubsub_channel *channel) {
  for (size_t i = 0; i < 3; i++)
    pubsub_free(channel->strings[i]);
  pubsub_buf_wipe(&channel->authorization);
  explicit_bzero(&channel->proxy, sizeof channel->proxy);
  pubsub_free(channel);
}

enum pubsub_status pubsub_channel_new(struct pubsub_loop *loop,
                                      const struct pubsub_channel_options *options,
                                      struct pubsub_channel **out, struct pubsub_error *error) {
  struct pubsub_channel *channel = pubsub_alloc_zero(1, sizeof *channel);
  if (!channel) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  channel->loop = loop;
  channel->options = *options;
  if (!channel->options.stream_window_bytes) channel->options.stream_window_bytes = 64u << 10;
  if (!channel->options.connect_timeout_ms) channel->options.connect_timeout_ms = 10000;
  if (!channel->options.keepalive_ms) channel->options.keepalive_ms = 30000;
  if (!channel->options.idle_ms) channel->options.idle_ms = 240000;
  if (options->proxy) channel->proxy = *options->proxy;
  if (!channel->options.user_agent) channel->options.user_agent = "libpubsub";
  pubsub_pool_init(channel);
  if (!copy_string(&channel->options.host, &channel->strings[0]) ||
      !copy_string(&channel->options.user_agent, &channel->strings[1]) ||
      !copy_string(&channel->options.quota_project, &channel->strings[2])) {
    channel_free(channel);
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  }
  bool v6 = strchr(options->host, ':') != NULL;
  snprintf(channel->authority, sizeof channel->authority, v6 ? "[%s]:%u" : "%s:%u", options->host,
           options->port);
  *out = channel;
  return PUBSUB_OK;
}

void pubsub_channel_destroy(struct pubsub_channel *channel) {
  struct pubsub_error why = {0};
  if (!channel) return;
  pubsub_error_set(&why, PUBSUB_E_CLOSED, "the client was closed");
  while (!pubsub_list_empty(&channel->calls) || !pubsub_list_empty(&channel->waiting)) {
    pubsub_pool_finish(&channel->calls, &why);
    pubsub_pool_finish(&channel->waiting, &why);
  }
  pubsub_pool_clear(channel);
  channel_free(channel);
}
