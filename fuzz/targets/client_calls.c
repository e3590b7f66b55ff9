/*
 * The whole client, from its public functions to the bytes of a server that answers well, badly,
 * late or never: slots that open and close, chunks that are read and settled in any order,
 * exactly-once outcomes, messages published; a connection that ends, a clock that moves, everything
 * destroyed in the midst of it.
 *
 * Input: a head, then steps; see `step`.
 */
#include "base/error.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "support/calls.h"
#include "support/chunk_check.h"
#include "support/frames.h"
#include "support/requests.h"
#include "support/world.h"
#include <pubsub/client.h>
#include <pubsub/publisher.h>
#include <pubsub/subscriber.h>
#include <stdio.h>

#define MAX_STREAMS 4
#define SLOTS 3
#define EPOCHS 3 /* numbered from 1 */

struct session {
  struct pubsub_client *client;
  struct pubsub_subscriber *subscriber;
  struct pubsub_publisher *publisher;
  struct world_stream *streams[MAX_STREAMS];
  size_t count;
  struct calls calls; /* on the last of them */
  bool kind;          /* while the client waits, its calls are answered well */
  uint64_t sealed[SLOTS][EPOCHS], settled[SLOTS][EPOCHS]; /* as last reported */
};

static struct world_stream *current(struct session *session) {
  struct world_stream *stream = session->count > 0 ? session->streams[session->count - 1] : NULL;
  return stream && !stream->destroyed ? stream : NULL;
}

static void turn(struct session *session, int turns) {
  world_run(world_loop(), session->streams, session->count, turns);
  struct world_stream *stream = current(session);
  if (stream) calls_read(&session->calls, &stream->written);
}

static void feed(struct session *session, struct pubsub_buf *take_bytes) {
  struct world_stream *stream = current(session);
  if (stream) world_stream_feed(stream, pubsub_view_of(take_bytes->ptr, take_bytes->len));
  pubsub_buf_clear(take_bytes);
}

/* ---- the server ---- */

static void accept_dial(struct session *session) {
  struct pubsub_error error = {0};
  struct pubsub_buf bytes = {0};
  if (!world_dialling()) return;
  if (session->count == MAX_STREAMS) {
    pubsub_error_set(&error, PUBSUB_E_CONNECT, "refused");
    error.retryable = true;
    world_answer_dial(NULL, &error);
    return;
  }
  if (session->calls.inflater) calls_clear(&session->calls);
  calls_init(&session->calls);
  struct world_stream *stream = session->streams[session->count++] = world_stream_new();
  world_answer_dial(stream, NULL);
  frame_put(&bytes, FRAME_SETTINGS, 0, 0, (struct pubsub_view){0});
  feed(session, &bytes);
}

static void put_headers(struct pubsub_buf *out, uint32_t stream, bool first, const char *status,
                        struct pubsub_view details) {
  struct pubsub_buf block = {0};
  if (first) {
    frame_put_header(&block, ":status", pubsub_view_str("200"));
    frame_put_header(&block, "content-type", pubsub_view_str("application/grpc"));
  }
  if (status) frame_put_header(&block, "grpc-status", pubsub_view_str(status));
  if (details.len > 0) frame_put_header(&block, "grpc-status-details-bin", details);
  frame_put(out, FRAME_HEADERS, status ? FLAG_END_HEADERS | FLAG_END_STREAM : FLAG_END_HEADERS,
            stream, pubsub_view_of(block.ptr, block.len));
  pubsub_buf_clear(&block);
}

/* An answer as the service gives it, of the kind that the call asks for. */
static void answer_well(struct session *session, size_t index, struct fuzz_input *input) {
  static const struct requests_ack_ids none;
  struct call *call = &session->calls.open[index];
  struct pubsub_buf bytes = {0}, message = {0};
  bool streaming = strstr(call->path, "StreamingPull") != NULL;
  if (!call->answered) put_headers(&bytes, call->stream, true, NULL, (struct pubsub_view){0});
  call->answered = true;
  if (streaming && input) {
    requests_make(&message, &google__pubsub__v1__streaming_pull_response__descriptor, input, &none);
  } else if (strstr(call->path, "Publish")) {
    requests_make(&message, &google__pubsub__v1__publish_response__descriptor,
                  input ? input : &(struct fuzz_input){(const uint8_t *)"\1", 1}, &none);
  }
  frames_put_message(&bytes, call->stream, pubsub_view_of(message.ptr, message.len), false);
  if (!streaming) {
    put_headers(&bytes, call->stream, false, "0", (struct pubsub_view){0});
    calls_end(&session->calls, index);
  }
  pubsub_buf_clear(&message);
  feed(session, &bytes);
}

static size_t base64(struct pubsub_view bytes, uint8_t *out) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t len = 0;
  uint32_t bits = 0;
  int count = 0;
  for (size_t i = 0; i < bytes.len; i++) {
    bits = bits << 8 | bytes.ptr[i];
    for (count += 8; count >= 6; count -= 6)
      out[len++] = (uint8_t)digits[bits >> (count - 6) & 63];
  }
  if (count > 0) out[len++] = (uint8_t)digits[bits << (6 - count) & 63];
  return len;
}

/* google.rpc.Status with an outcome for each of the ids that messages have. */
static size_t make_outcomes(struct fuzz_input *input, uint8_t *out) {
  static char *const reasons[] = {"TRANSIENT_FAILURE_X", "PERMANENT_FAILURE_INVALID_ACK_ID", "?"};
  Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
  Google__Rpc__ErrorInfo__MetadataEntry entries[7], *all[7];
  Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT, *details = &any;
  Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
  uint8_t packed[800], whole[1000];
  char keys[7][4];
  info.metadata = all;
  for (info.n_metadata = 0; info.n_metadata < 7; info.n_metadata++) {
    size_t i = info.n_metadata;
    google__rpc__error_info__metadata_entry__init(all[i] = &entries[i]);
    snprintf(keys[i], sizeof keys[i], "id%zu", i);
    entries[i].key = keys[i];
    entries[i].value = reasons[fuzz_u8(input) % 3];
  }
  any.type_url = "type.googleapis.com/google.rpc.ErrorInfo";
  any.value = (ProtobufCBinaryData){google__rpc__error_info__pack(&info, packed), packed};
  status.details = &details;
  status.n_details = 1;
  return base64(pubsub_view_of(whole, google__rpc__status__pack(&status, whole)), out);
}

static void answer_badly(struct session *session, size_t index, struct fuzz_input *input) {
  static const char *const codes[] = {"14", "3", "5", "7", "8", "9", "13", "16", "4", "1"};
  struct call *call = &session->calls.open[index];
  struct pubsub_buf bytes = {0};
  uint8_t details[1400], pick = fuzz_u8(input);
  size_t len = pick & 0x80 ? make_outcomes(input, details) : 0;
  put_headers(&bytes, call->stream, !call->answered, codes[pick % 10],
              pubsub_view_of(details, len));
  calls_end(&session->calls, index);
  feed(session, &bytes);
}

static void answer(struct session *session, struct fuzz_input *input, bool well) {
  size_t pick = fuzz_u8(input);
  if (session->calls.count == 0) return;
  pick = session->calls.count - 1 - pick % session->calls.count;
  if (well) {
    answer_well(session, pick, input);
  } else {
    answer_badly(session, pick, input);
  }
}

static void any_frame(struct session *session, struct fuzz_input *input) {
  static const struct frame_header table[] = {
      {":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "0"}};
  struct pubsub_buf bytes = {0};
  frames_put_any(&bytes, input, table, 3);
  feed(session, &bytes);
}

static void disturb(struct session *session, struct fuzz_input *input) {
  uint8_t pick = fuzz_u8(input);
  struct world_stream *stream = current(session);
  if (pick < 100) world_now_us += (uint64_t)pick * 1000000;
  if (!stream || pick < 100) return;
  if (pick < 150) stream->ended = true;
  if (pick >= 150 && pick < 200) stream->blocked = !stream->blocked;
  if (pick >= 200) any_frame(session, input);
}

/* While a public function waits. */
static void on_wait(void *user) {
  struct session *session = user;
  accept_dial(session);
  for (size_t i = session->calls.count; session->kind && current(session) && i-- > 0;) {
    if (!strstr(session->calls.open[i].path, "StreamingPull")) answer_well(session, i, NULL);
  }
  turn(session, 3);
}

/* ---- the client's user ---- */

static void read_chunk(struct session *session, uint32_t slot, uint64_t epoch, uint64_t seq) {
  struct pubsub_chunk *chunk;
  struct pubsub_error error = {0};
  enum pubsub_status status =
      pubsub_subscriber_chunk(session->subscriber, slot, epoch, seq, &chunk, &error);
  FUZZ_CHECK(status == PUBSUB_OK || (status == PUBSUB_E_GONE && error.text[0]));
  if (status != PUBSUB_OK) return;
  chunk_check(chunk);
  pubsub_chunk_unref(chunk);
}

static void take_next(struct session *session, uint8_t pick) {
  struct pubsub_chunk *chunk;
  struct pubsub_chunk_place place;
  struct pubsub_error error = {0};
  enum pubsub_status status =
      pubsub_subscriber_next(session->subscriber, pick & 1 ? 200 : 0, &chunk, &place, &error);
  FUZZ_CHECK(status == PUBSUB_OK || error.text[0]);
  if (status != PUBSUB_OK) return;
  chunk_check(chunk);
  if (pick & 2) {
    pubsub_subscriber_settle_chunk(session->subscriber, &place,
                                   pick & 4 ? PUBSUB_NACK : PUBSUB_ACK);
  }
  pubsub_chunk_unref(chunk);
}

/* What is reported never goes back. */
static void check_report(struct session *session, const struct pubsub_slot_report *report) {
  uint64_t *sealed = &session->sealed[report->slot][report->epoch - 1];
  uint64_t *settled = &session->settled[report->slot][report->epoch - 1];
  FUZZ_CHECK(report->slot < SLOTS && report->epoch >= 1 && report->epoch <= EPOCHS);
  FUZZ_CHECK(report->settled <= report->sealed);
  FUZZ_CHECK(report->sealed >= *sealed && report->settled >= *settled);
  *sealed = report->sealed;
  *settled = report->settled;
}

static void look(struct session *session) {
  struct pubsub_slot_report reports[8];
  struct pubsub_chunk_size sizes[8];
  struct pubsub_subscriber_metrics metrics;
  struct pubsub_publisher_metrics published;
  struct pubsub_error error;
  size_t count;
  pubsub_subscriber_report(session->subscriber, reports, 8, &count);
  for (size_t i = 0; i < count && i < 8; i++) {
    const struct pubsub_slot_report *report = &reports[i];
    check_report(session, report);
    pubsub_subscriber_slot_error(session->subscriber, report->slot, report->epoch, &error);
    FUZZ_CHECK(report->state != PUBSUB_SLOT_FAILED || error.text[0]);
    size_t found = pubsub_subscriber_chunk_sizes(session->subscriber, report->slot, report->epoch,
                                                 report->settled, sizes, 8);
    for (size_t k = 0; k < found; k++)
      read_chunk(session, report->slot, report->epoch, report->settled + k);
  }
  pubsub_subscriber_metrics(session->subscriber, &metrics);
  pubsub_publisher_metrics(session->publisher, &published);
}

static void publish(struct session *session, struct fuzz_input *input) {
  uint8_t pick = fuzz_u8(input);
  struct pubsub_message message = {.data = pubsub_view_str("data")};
  struct pubsub_error error = {0};
  if (pick % 4) message.ordering_key = pubsub_view_str(pick & 1 ? "a" : "b");
  enum pubsub_status status = pubsub_publisher_publish(session->publisher, &message, 1, &error);
  FUZZ_CHECK(status == PUBSUB_OK || error.text[0]);
  if (pick & 0x10) pubsub_publisher_flush(session->publisher, 300, &error);
}

static void use(struct session *session, struct fuzz_input *input, uint8_t what) {
  uint8_t pick = fuzz_u8(input);
  uint32_t slot = pick % SLOTS;
  uint64_t epoch = pick / SLOTS % EPOCHS + 1, generation = 0;
  struct pubsub_error error = {0};
  switch (what) {
  case 0:
    pubsub_subscriber_open_slot(session->subscriber, slot, epoch, pick & 0x80 ? 1000 : 0, &error);
    break;
  case 1:
    pubsub_subscriber_close_slot(session->subscriber, slot, epoch,
                                 pick & 0x40 ? PUBSUB_CLOSE_DRAIN : PUBSUB_CLOSE_GIVE_BACK);
    break;
  case 2:
    pubsub_subscriber_settle(session->subscriber, slot, epoch, fuzz_u8(input) % 8,
                             pick & 0x40 ? PUBSUB_NACK : PUBSUB_ACK);
    break;
  case 3:
    take_next(session, pick);
    break;
  case 4:
    publish(session, input);
    break;
  case 5:
    pubsub_subscriber_wait(session->subscriber, &generation, 100);
    break;
  default:
    look(session);
  }
}

static void step(struct session *session, struct fuzz_input *input) {
  uint8_t what = fuzz_u8(input);
  switch (what % 16) {
  case 7:
    disturb(session, input);
    break;
  case 8:
  case 9:
  case 10:
  case 11:
    answer(session, input, true);
    break;
  case 12:
  case 13:
    answer(session, input, false);
    break;
  case 14:
    any_frame(session, input);
    break;
  default:
    use(session, input, what % 16);
  }
  accept_dial(session);
  if (!(what & 0x80)) turn(session, 3);
}

static void start(struct session *session, struct fuzz_input *input) {
  uint8_t flags = fuzz_u8(input);
  struct pubsub_client_options client = {.endpoint = "h:1", .plaintext = true, .loop_threads = 1};
  struct pubsub_subscriber_options subscriber = {.subscription = "projects/p/subscriptions/sub0",
                                                 .columns = PUBSUB_COLUMN_ALL,
                                                 .chunk_rows = flags % 8 + 1u,
                                                 .ack_deadline_s = 10};
  struct pubsub_publisher_options publisher = {.topic = "projects/p/topics/top0",
                                               .max_batch_messages = flags / 8 % 4 + 1u,
                                               .total_timeout_ms = 5000};
  session->kind = flags & 0x80;
  FUZZ_CHECK(pubsub_client_new(&client, &session->client, NULL) == PUBSUB_OK);
  FUZZ_CHECK(pubsub_subscriber_new(session->client, &subscriber, &session->subscriber, NULL) ==
             PUBSUB_OK);
  FUZZ_CHECK(pubsub_publisher_new(session->client, &publisher, &session->publisher, NULL) ==
             PUBSUB_OK);
  if (flags & 0x40) {
    pubsub_subscriber_open_slot(session->subscriber, 0, 1, 0, NULL);
    turn(session, 2);
    accept_dial(session);
    turn(session, 3);
  }
}

/* Where it ends well, every row that came has its outcome. */
static void close_subscriber(struct session *session) {
  struct pubsub_subscriber_metrics metrics;
  struct pubsub_error error = {0};
  enum pubsub_status status = pubsub_subscriber_close(session->subscriber, 500, &error);
  pubsub_subscriber_metrics(session->subscriber, &metrics);
  FUZZ_CHECK(status == PUBSUB_OK ? metrics.backlog_rows == 0 : error.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  struct session session = {0};
  world_start();
  world_while_waiting(on_wait, &session);
  start(&session, &input);
  while (input.left > 0)
    step(&session, &input);
  if (session.kind) close_subscriber(&session);
  pubsub_subscriber_destroy(session.subscriber);
  pubsub_publisher_destroy(session.publisher);
  pubsub_client_destroy(session.client);
  if (session.calls.inflater) calls_clear(&session.calls);
  for (size_t i = 0; i < session.count; i++) {
    FUZZ_CHECK(session.streams[i]->destroyed);
    world_stream_free(session.streams[i]);
  }
  FUZZ_CHECK(pubsub_live_allocations() == 0);
  return 0;
}
