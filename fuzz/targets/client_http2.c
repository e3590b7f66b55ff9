/*
 * Bytes from a server into the client, as HTTP/2: a StreamingPull with its decoder and builder, and
 * unary calls, on a channel that dials again. Whatever comes, each call ends once, with a status
 * and, where that is not OK, a text; chunks are whole.
 *
 * Input: how it is read, then frames (support/frames.h); between them the clock moves, the
 * connection ends, a dial fails.
 */
#include "base/alloc.h"
#include "base/error.h"
#include "batch/builder.h"
#include "grpc/unary.h"
#include "sub/pull.h"
#include "support/chunk_check.h"
#include "support/frames.h"
#include "support/world.h"

#define UNARY_CALLS 3
#define MAX_STREAMS 6

static const struct frame_header table[] = {
    {":status", "200"},
    {"content-type", "application/grpc"},
    {"grpc-status", "0"},
    {"grpc-status", "14"},
    {"grpc-status", "16"},
    {"grpc-status", "5"},
    {"grpc-message", "not%20there"},
    {"grpc-status-details-bin", "CAUSA2JhZA"},
    {"grpc-encoding", "identity"},
    {":status", "503"},
    {":status", "100"},
    {"content-type", "text/html"},
    {"content-length", "12"},
    {"server", "x"},
};

struct client {
  struct pubsub_loop *loop;
  struct pubsub_channel *channel;
  struct pubsub_pull pull;
  struct pubsub_builder *builder;
  struct world_stream *streams[MAX_STREAMS];
  size_t count; /* the last of them is the one that is fed */
  int pending;  /* unary calls without an answer */
};

/* ---- what the client hears ---- */

static void on_unary(void *user, const struct pubsub_error *result, struct pubsub_view response,
                     struct pubsub_view details) {
  struct client *client = user;
  (void)details;
  client->pending--;
  FUZZ_CHECK(client->pending >= 0);
  FUZZ_CHECK(result->status == PUBSUB_OK ? response.len == 0 || response.ptr : result->text[0]);
}

static void start_unary(struct client *client, bool fail_fast) {
  struct pubsub_call_options options = {.method = "/google.pubsub.v1.Publisher/Publish",
                                        .routing_header = "topic=projects%2Fp",
                                        .timeout_us = 60000000,
                                        .fail_fast = fail_fast};
  struct pubsub_segment segment = {(const uint8_t *)"request", 7, NULL, NULL};
  struct pubsub_unary *unary;
  if (pubsub_unary_start(client->channel, &options, &segment, 1, on_unary, client, &unary, NULL) ==
      PUBSUB_OK) {
    client->pending++;
  }
}

static void seal(struct client *client) {
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  if (pubsub_builder_rows(client->builder) == 0) return;
  FUZZ_CHECK(pubsub_builder_seal(client->builder, &chunk, &ids) == PUBSUB_OK);
  chunk_check(chunk);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
}

static enum pubsub_status on_message(void *user, const struct pubsub_received *message) {
  struct client *client = user;
  FUZZ_CHECK(pubsub_builder_append(client->builder, message) == PUBSUB_OK);
  if (pubsub_builder_rows(client->builder) >= 50) seal(client);
  return PUBSUB_OK;
}

static enum pubsub_status reserve_data(void *user, size_t len, uint8_t **out) {
  return pubsub_builder_reserve_data(((struct client *)user)->builder, len, out);
}

static void on_bytes(void *user, size_t bytes) {
  pubsub_pull_consume(&((struct client *)user)->pull, bytes);
}

static void on_response(void *user) {
  seal(user);
}

static void on_state(void *user, enum pubsub_pull_state state) {
  struct client *client = user;
  FUZZ_CHECK(state != PUBSUB_PULL_FAILED || client->pull.error.text[0]);
}

static bool on_limits(void *user, struct pubsub_pull_limits *out) {
  (void)user;
  *out = (struct pubsub_pull_limits){.messages = 1000, .bytes = 1000000};
  return true;
}

static const struct pubsub_pull_sink sink = {.on_message = on_message,
                                             .reserve_data = reserve_data};
static const struct pubsub_pull_handler pull_handler = {.sink = &sink,
                                                        .on_bytes = on_bytes,
                                                        .on_response = on_response,
                                                        .on_state = on_state,
                                                        .on_limits = on_limits};

static void start(struct client *client) {
  struct pubsub_channel_options options = {.host = "h", .port = 443, .user_agent = "fuzz"};
  struct pubsub_pull_options pull = {.subscription = pubsub_view_str("projects/p/subscriptions/s"),
                                     .routing_header = "subscription=projects%2Fp",
                                     .deadline_s = 60,
                                     .window_bytes = 1 << 20};
  struct pubsub_blocks *blocks;
  FUZZ_CHECK(pubsub_loop_new(&client->loop, NULL) == PUBSUB_OK);
  FUZZ_CHECK(pubsub_blocks_new((uint64_t)1 << 20, &blocks) == PUBSUB_OK);
  FUZZ_CHECK(pubsub_builder_new(blocks, PUBSUB_COLUMN_ALL, &client->builder) == PUBSUB_OK);
  pubsub_blocks_unref(blocks);
  FUZZ_CHECK(pubsub_channel_new(client->loop, &options, &client->channel, NULL) == PUBSUB_OK);
  FUZZ_CHECK(pubsub_pull_init(&client->pull, client->channel, &pull, &pull_handler, client) ==
             PUBSUB_OK);
  pubsub_pull_start(&client->pull, 0);
  for (int i = 0; i < UNARY_CALLS; i++)
    start_unary(client, i == 2);
}

static void run(struct client *client, int turns) {
  world_run(client->loop, client->streams, client->count, turns);
}

/* ---- what the server does ---- */

static struct world_stream *current(struct client *client) {
  struct world_stream *stream = client->count > 0 ? client->streams[client->count - 1] : NULL;
  return stream && !stream->destroyed ? stream : NULL;
}

static void answer_dial(struct client *client, struct fuzz_input *input) {
  uint8_t flags = fuzz_u8(input);
  struct pubsub_error error = {0};
  if (flags % 8 == 7 || client->count == MAX_STREAMS) {
    pubsub_error_set(&error, flags & 8 ? PUBSUB_E_TLS : PUBSUB_E_CONNECT, "refused");
    error.retryable = !(flags & 8);
    world_answer_dial(NULL, &error);
    return;
  }
  struct world_stream *stream = world_stream_new();
  stream->piece = flags & 16 ? fuzz_u8(input) : 0;
  client->streams[client->count++] = stream;
  if (!(flags & 32)) { /* SETTINGS, as every server sends at once */
    struct pubsub_buf settings = {0};
    frame_put(&settings, FRAME_SETTINGS, 0, 0, (struct pubsub_view){0});
    world_stream_feed(stream, pubsub_view_of(settings.ptr, settings.len));
    pubsub_buf_clear(&settings);
  }
  world_answer_dial(stream, NULL);
}

static void feed(struct client *client, struct fuzz_input *input) {
  struct pubsub_buf bytes = {0};
  struct world_stream *stream = current(client);
  frames_put_any(&bytes, input, table, sizeof table / sizeof *table);
  if (stream) world_stream_feed(stream, pubsub_view_of(bytes.ptr, bytes.len));
  pubsub_buf_clear(&bytes);
}

static void step(struct client *client, struct fuzz_input *input) {
  uint8_t what = fuzz_u8(input) % 16;
  struct world_stream *stream = current(client);
  if (world_dialling()) answer_dial(client, input);
  if (what == 15) world_now_us += (uint64_t)fuzz_u8(input) * 1000000;
  if (what == 14 && stream) stream->ended = true;
  if (what == 13 && stream) stream->blocked = !stream->blocked;
  if (what == 12) start_unary(client, fuzz_u8(input) & 1);
  if (what < 12) feed(client, input);
  if (what & 1) run(client, 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  struct client client = {0};
  world_start();
  start(&client);
  run(&client, 2);
  while (input.left > 0)
    step(&client, &input);
  run(&client, 5);
  pubsub_pull_stop(&client.pull);
  pubsub_pull_clear(&client.pull);
  pubsub_channel_destroy(client.channel);
  FUZZ_CHECK(client.pending == 0);
  seal(&client);
  pubsub_builder_destroy(client.builder);
  run(&client, 2);
  pubsub_loop_destroy(client.loop);
  for (size_t i = 0; i < client.count; i++) {
    FUZZ_CHECK(client.streams[i]->destroyed);
    world_stream_free(client.streams[i]);
  }
  return 0;
}
