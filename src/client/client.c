#include "client/client.h"

#include "client/token_feed.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "base/wipe.h"
#include "net/endpoint.h"
#include "net/proxy.h"
#include "h2/conn.h"
#include "net/tls.h"
#include "pub/gzip.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_ENDPOINT "pubsub.googleapis.com"
#define CORES_A_LOOP 4
#define MAX_HEADER_TEXT_BYTES 200

const char *pubsub_version(void) {
  return PUBSUB_VERSION_STRING;
}

void pubsub_libraries(char *out, size_t out_bytes) {
  snprintf(out, out_bytes, "%s, %s, zlib %s", pubsub_tls_library(), pubsub_h2_library(),
           pubsub_gzip_library());
}

uint64_t pubsub_live_allocations(void) {
  return pubsub_alloc_live();
}

static size_t default_lanes(void) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  return cores > CORES_A_LOOP ? (size_t)cores / CORES_A_LOOP : 1;
}

static enum pubsub_status lane_init(struct pubsub_client_lane *lane,
                                    const struct pubsub_channel_options *options,
                                    struct pubsub_error *error) {
  enum pubsub_status status = pubsub_loop_new(&lane->loop, error);
  if (status != PUBSUB_OK) return status;
  status = pubsub_channel_new(lane->loop, options, &lane->channel, error);
  if (status != PUBSUB_OK) return status;
  return pubsub_loop_start_thread(lane->loop, "pubsub-loop", error);
}

/* A text of the caller's that goes into a header of every call; NULL and "": none. */
static enum pubsub_status check_header_text(const char *what, const char *text,
                                            struct pubsub_error *error) {
  if (!text || !text[0]) return PUBSUB_OK;
  if (strlen(text) <= MAX_HEADER_TEXT_BYTES && pubsub_text_is_header_value(text)) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_INVALID,
                          "the %s cannot stand in a header: it may have at most %d bytes of "
                          "printable ASCII, without a space at either end",
                          what, MAX_HEADER_TEXT_BYTES);
}

enum pubsub_status pubsub_client_new(const struct pubsub_client_options *options,
                                     struct pubsub_client **out, struct pubsub_error *error) {
  char host[256], agent[MAX_HEADER_TEXT_BYTES + 64];
  uint16_t port;
  const char *endpoint = options->endpoint ? options->endpoint : DEFAULT_ENDPOINT;
  enum pubsub_status status = pubsub_endpoint_parse(endpoint, options->plaintext ? 8085 : 443, host,
                                                    sizeof host, &port, error);
  if (status != PUBSUB_OK) return status;
  status = check_header_text("user agent", options->user_agent, error);
  if (status != PUBSUB_OK) return status;
  status = check_header_text("quota project", options->quota_project, error);
  if (status != PUBSUB_OK) return status;
  bool named = options->user_agent && options->user_agent[0];
  bool quota = options->quota_project && options->quota_project[0];
  struct pubsub_proxy proxy;
  status = pubsub_proxy_choose(options->proxy, host, port, !options->plaintext, &proxy, error);
  if (status != PUBSUB_OK) return status;
  struct pubsub_client *client = pubsub_alloc_zero(1, sizeof *client);
  if (!client) {
    status = pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
    goto fail;
  }
  if (!options->plaintext) {
    status = pubsub_tls_context_new_client(options->ca_file, &client->tls, error);
    if (status != PUBSUB_OK) goto fail;
  }
  snprintf(agent, sizeof agent, "libpubsub/" PUBSUB_VERSION_STRING "%s%s", named ? " " : "",
           named ? options->user_agent : "");
  struct pubsub_channel_options channel = {.host = host,
                                           .port = port,
                                           .tls = client->tls,
                                           .user_agent = agent,
                                           .quota_project = quota ? options->quota_project : NULL,
                                           .proxy = proxy.host[0] ? &proxy : NULL,
                                           .connect_timeout_ms = options->connect_timeout_ms,
                                           .keepalive_ms = options->keepalive_ms};
  size_t lanes = options->loop_threads ? options->loop_threads : default_lanes();
  client->lanes = pubsub_alloc_zero(lanes, sizeof *client->lanes);
  if (!client->lanes) {
    status = pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
    goto fail;
  }
  for (; client->lane_count < lanes; client->lane_count++) {
    status = lane_init(&client->lanes[client->lane_count], &channel, error);
    if (status != PUBSUB_OK) {
      client->lane_count++; /* what there is of it is freed below */
      goto fail;
    }
  }
  pubsub_wipe(&proxy, sizeof proxy);
  *out = client;
  return PUBSUB_OK;
fail:
  pubsub_wipe(&proxy, sizeof proxy);
  pubsub_client_destroy(client);
  return status;
}

void pubsub_client_destroy(struct pubsub_client *client) {
  if (!client) return;
  pubsub_token_feed_destroy(atomic_load(&client->feed));
  for (size_t i = 0; i < client->lane_count; i++) {
    struct pubsub_client_lane *lane = &client->lanes[i];
    if (!lane->loop) continue;
    pubsub_loop_join(lane->loop);
    pubsub_channel_destroy(lane->channel); /* the thread is gone: this one takes its place */
    pubsub_loop_destroy(lane->loop);
  }
  pubsub_free(client->lanes);
  pubsub_tls_context_destroy(client->tls);
  pubsub_free(client);
}

struct pubsub_channel *pubsub_client_next_channel(struct pubsub_client *client) {
  size_t lane = atomic_fetch_add(&client->next_lane, 1) % client->lane_count;
  return client->lanes[lane].channel;
}

enum pubsub_status pubsub_client_use_credentials(struct pubsub_client *client,
                                                 const struct pubsub_credentials_options *options,
                                                 uint32_t timeout_ms, struct pubsub_error *error) {
  struct pubsub_credentials_options defaults = {0};
  struct pubsub_token_feed *feed = NULL;
  if (!client->tls) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "a token is never sent over a plaintext connection");
  }
  enum pubsub_status status =
      pubsub_token_feed_start(client, options ? options : &defaults, timeout_ms, &feed, error);
  if (status == PUBSUB_OK) pubsub_token_feed_destroy(atomic_exchange(&client->feed, feed));
  return status;
}
