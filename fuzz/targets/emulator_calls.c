/*
 * Sequences of calls to the emulator: every method of the protos with requests made by their
 * descriptors, the control commands, streams that are opened, written to, half closed and reset, a
 * second connection, a clock that moves.
 *
 * Input: a head, then steps; see `step`.
 */
#include "server.h"
#include "support/frames.h"
#include "support/requests.h"
#include "support/world.h"
#include <stdio.h>

#define CONNECTIONS 2
#define OPEN_STREAMS 8
#define CONTROL "/pubsub.emulator.v1.Control/"
#define STREAMING "StreamingPull"

static const char *const commands[] = {
    "stats",
    "faults",
    "faults clear",
    "record on",
    "record off",
    "record clear",
    "end-streams",
    "end-streams NOT_FOUND",
    "disconnect",
    "goaway",
    "advance 10s",
    "advance 1h",
    "advance 8d",
    "advance 400d",
    "token secret",
    "token",
    "seed 7",
    "fault * status=UNAVAILABLE:no_luck count=2",
    "fault Publish latency=200ms probability=0.5",
    "fault StreamingPull late-headers",
    "fault StreamingPull lifetime=1s",
    "fault StreamingPull silent",
    "fault StreamingPull duplicate count=3",
    "fault StreamingPull expire=100ms",
    "fault Acknowledge drop-acks count=1",
    "fault Acknowledge transient-acks",
    "fault ModifyAckDeadline transient-acks after=1",
    "fault Pull stall count=1",
    "fault * reset count=1",
    "fault * disconnect count=1 after=2",
    "fault * goaway count=1",
    "fault * deny",
};
#define COMMAND_COUNT (sizeof commands / sizeof *commands)

struct peer {
  struct world_stream *stream;
  uint32_t next_id;
  uint32_t open[OPEN_STREAMS]; /* streams of StreamingPull, the last ones */
  unsigned open_count;
  size_t learned; /* so far, of what it was written */
};

struct session {
  struct pubsub_loop *loop;
  struct server *server;
  struct peer peers[CONNECTIONS];
  unsigned current;
  struct requests_ack_ids ids;
};

static void connect_peer(struct session *session, unsigned index) {
  struct peer *peer = &session->peers[index];
  struct pubsub_buf preface = {0};
  *peer = (struct peer){.stream = world_stream_new(), .next_id = 1};
  frames_put_preface(&preface);
  world_stream_feed(peer->stream, pubsub_view_of(preface.ptr, preface.len));
  pubsub_buf_clear(&preface);
  world_connect(peer->stream);
}

static void run(struct session *session, int turns) {
  struct world_stream *streams[CONNECTIONS];
  for (unsigned i = 0; i < CONNECTIONS; i++)
    streams[i] = session->peers[i].stream;
  world_run(session->loop, streams, CONNECTIONS, turns);
  for (unsigned i = 0; i < CONNECTIONS; i++) {
    const struct pubsub_buf *written = &streams[i]->written;
    requests_learn(&session->ids, pubsub_view_of(written->ptr, written->len),
                   &session->peers[i].learned);
  }
}

/* A peer whose connection is gone comes again. */
static struct peer *peer_of(struct session *session) {
  struct peer *peer = &session->peers[session->current];
  if (peer->stream->destroyed) {
    world_stream_free(peer->stream);
    connect_peer(session, session->current);
  }
  return peer;
}

static void feed(struct peer *peer, struct pubsub_buf *take_bytes) {
  world_stream_feed(peer->stream, pubsub_view_of(take_bytes->ptr, take_bytes->len));
  pubsub_buf_clear(take_bytes);
}

/* A call's headers and first message; returns its stream. */
static uint32_t start_call(struct peer *peer, const char *path, struct pubsub_view message,
                           bool end) {
  struct pubsub_buf block = {0}, bytes = {0};
  uint32_t id = peer->next_id;
  peer->next_id += 2;
  frame_put_header(&block, ":method", pubsub_view_str("POST"));
  frame_put_header(&block, ":scheme", pubsub_view_str("http"));
  frame_put_header(&block, ":path", pubsub_view_str(path));
  frame_put_header(&block, ":authority", pubsub_view_str("h"));
  frame_put_header(&block, "te", pubsub_view_str("trailers"));
  frame_put_header(&block, "content-type", pubsub_view_str("application/grpc"));
  frame_put_header(&block, "authorization", pubsub_view_str("Bearer secret"));
  frame_put(&bytes, FRAME_HEADERS, FLAG_END_HEADERS, id, pubsub_view_of(block.ptr, block.len));
  frames_put_message(&bytes, id, message, end);
  pubsub_buf_clear(&block);
  feed(peer, &bytes);
  return id;
}

static void call_method(struct session *session, struct fuzz_input *input, bool raw) {
  struct peer *peer = peer_of(session);
  struct requests_method method = requests_method_at(fuzz_u8(input));
  struct pubsub_buf message = {0};
  char path[200];
  snprintf(path, sizeof path, "/%s/%s", method.service->name, method.method->name);
  bool streams = strcmp(method.method->name, STREAMING) == 0;
  if (raw) {
    struct pubsub_view bytes = fuzz_bytes(input, fuzz_u8(input));
    if (bytes.len > 0) FUZZ_CHECK(pubsub_buf_append(&message, bytes.ptr, bytes.len) == PUBSUB_OK);
  } else {
    requests_make(&message, method.method->input, input, &session->ids);
  }
  uint32_t id = start_call(peer, path, pubsub_view_of(message.ptr, message.len), !streams);
  if (streams) peer->open[peer->open_count++ % OPEN_STREAMS] = id;
  pubsub_buf_clear(&message);
}

/* A google.protobuf.StringValue. */
static void call_control(struct session *session, const char *method, struct pubsub_view text) {
  struct pubsub_buf message = {0};
  char path[64], head[11] = {1 << 3 | 2};
  snprintf(path, sizeof path, CONTROL "%s", method);
  head[1] = (char)(text.len < 127 ? text.len : 127);
  if (text.len > 127) text.len = 127;
  FUZZ_CHECK(pubsub_buf_append(&message, head, 2) == PUBSUB_OK);
  if (text.len > 0) FUZZ_CHECK(pubsub_buf_append(&message, text.ptr, text.len) == PUBSUB_OK);
  start_call(peer_of(session), path, pubsub_view_of(message.ptr, message.len), true);
  pubsub_buf_clear(&message);
}

static void command(struct session *session, struct fuzz_input *input) {
  uint8_t pick = fuzz_u8(input);
  call_control(session, "Command",
               pick < 240 ? pubsub_view_str(commands[pick % COMMAND_COUNT])
                          : fuzz_bytes(input, fuzz_u8(input) % 100));
}

/* What may happen to a StreamingPull after its first request. */
static void disturb_stream(struct session *session, struct fuzz_input *input) {
  struct peer *peer = peer_of(session);
  uint8_t pick = fuzz_u8(input);
  struct pubsub_buf bytes = {0}, message = {0};
  if (peer->open_count == 0) return;
  uint32_t id = peer->open[(peer->open_count - 1 - pick / 4 % OPEN_STREAMS) % OPEN_STREAMS];
  if (id == 0) return;
  if (pick % 4 == 3) {
    static const uint8_t cancel[] = {0, 0, 0, 8};
    frame_put(&bytes, FRAME_RST_STREAM, 0, id, pubsub_view_of(cancel, sizeof cancel));
  } else {
    if (pick % 4) {
      requests_make(&message, &google__pubsub__v1__streaming_pull_request__descriptor, input,
                    &session->ids);
    }
    frames_put_message(&bytes, id, pubsub_view_of(message.ptr, message.len), pick % 4 == 2);
  }
  pubsub_buf_clear(&message);
  feed(peer, &bytes);
}

static void end_connection(struct session *session, struct fuzz_input *input) {
  struct peer *peer = peer_of(session);
  peer->stream->ended = fuzz_u8(input) & 1;
  session->current = (session->current + 1) % CONNECTIONS;
}

static void step(struct session *session, struct fuzz_input *input) {
  static const uint32_t waits_ms[] = {0, 1, 100, 1000, 10000, 61000, 600000, 86400000};
  uint8_t what = fuzz_u8(input);
  switch (what % 16) {
  case 8:
  case 9:
    disturb_stream(session, input);
    break;
  case 10:
    command(session, input);
    break;
  case 11:
    call_control(session, "Record", pubsub_view_str(what & 16 ? "clear" : ""));
    break;
  case 12:
    world_now_us += (uint64_t)waits_ms[fuzz_u8(input) % 8] * 1000;
    break;
  case 13:
    end_connection(session, input);
    break;
  case 14:
    call_method(session, input, true);
    break;
  case 15:
    peer_of(session)->stream->blocked = what & 16;
    break;
  default:
    call_method(session, input, false);
  }
  if (!(what & 0x80)) run(session, 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  struct session session = {0};
  struct server_options options = {.address = "127.0.0.1", .record = fuzz_u8(&input) & 1};
  world_start();
  FUZZ_CHECK(pubsub_loop_new(&session.loop, NULL) == PUBSUB_OK);
  FUZZ_CHECK(server_new(session.loop, &options, &session.server, NULL) == PUBSUB_OK);
  FUZZ_CHECK(server_add_subscription(session.server,
                                     "projects/p/subscriptions/sub0=projects/p/topics/top0",
                                     NULL) == PUBSUB_OK);
  for (unsigned i = 0; i < CONNECTIONS; i++)
    connect_peer(&session, i);
  while (input.left > 0)
    step(&session, &input);
  run(&session, 5);
  server_destroy(session.server);
  pubsub_loop_destroy(session.loop);
  for (unsigned i = 0; i < CONNECTIONS; i++) {
    FUZZ_CHECK(session.peers[i].stream->destroyed);
    world_stream_free(session.peers[i].stream);
  }
  return 0;
}
