/*
 * What decoding costs on its own: no socket, no HTTP/2, no acknowledgement. Feeds one encoded
 * StreamingPullResponse of about 256 KiB again and again, in 256 KiB and in 16 KiB pieces, into
 * decoder and builder; seals at 10,000 rows or 8 MiB and drops the chunk. All six columns; ack ids
 * of 64 bytes, message ids of 16, one attribute, as a service sends them.
 *
 * One thread; time is the thread's CPU time, best of five. Prints a table, then one line of JSON.
 */
#include "base/alloc.h"
#include "batch/builder.h"
#include "proto/wire.h"
#include <stdio.h>
#include <time.h>

#define RESPONSE_BYTES (256u << 10)
#define SEAL_ROWS 10000u
#define SEAL_BYTES (8u << 20)
#define RUNS 5
#define RUN_BYTES ((size_t)192 << 20)

static uint64_t cpu_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void put_field(struct pubsub_buf *out, uint8_t tag, const void *ptr, size_t len) {
  uint8_t head[11] = {tag};
  size_t head_len = (size_t)(pubsub_varint_write(head + 1, len) - head);
  if (pubsub_buf_append(out, head, head_len) != PUBSUB_OK) return;
  (void)pubsub_buf_append(out, ptr, len);
}

/* A response of as many messages as fit. */
static size_t encode_response(struct pubsub_buf *out, size_t payload_bytes) {
  static const uint8_t time[] = {0x08, 0x80, 0xba, 0xe9, 0xd2, 0x06, 0x10, 0x95, 0x9a, 0xef, 0x3a};
  struct pubsub_buf data = {0}, message = {0}, received = {0};
  size_t count = 0;
  for (size_t i = 0; i < payload_bytes; i++) {
    uint8_t byte = (uint8_t)('a' + i % 26);
    (void)pubsub_buf_append(&data, &byte, 1);
  }
  do {
    char id[17], ack_id[65];
    snprintf(id, sizeof id, "%016zx", count);
    snprintf(ack_id, sizeof ack_id, "%016zx%048d", count, 0);
    message.len = received.len = 0;
    put_field(&message, 1 << 3 | 2, data.ptr, data.len);
    put_field(&message, 2 << 3 | 2, "\x0a\x01k\x12\x01v", 6);
    put_field(&message, 3 << 3 | 2, id, 16);
    put_field(&message, 4 << 3 | 2, time, sizeof time);
    put_field(&received, 1 << 3 | 2, ack_id, 64);
    put_field(&received, 2 << 3 | 2, message.ptr, message.len);
    put_field(out, 1 << 3 | 2, received.ptr, received.len);
    count++;
  } while (out->len + received.len + 8 < RESPONSE_BYTES);
  pubsub_buf_clear(&data);
  pubsub_buf_clear(&message);
  pubsub_buf_clear(&received);
  return count;
}

static enum pubsub_status drop_chunk(struct pubsub_builder *builder) {
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  enum pubsub_status status = pubsub_builder_seal(builder, &chunk, &ids);
  if (status != PUBSUB_OK) return status;
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
  return PUBSUB_OK;
}

static enum pubsub_status on_message(void *user, const struct pubsub_received *message) {
  struct pubsub_builder *builder = user;
  enum pubsub_status status = pubsub_builder_append(builder, message);
  if (status != PUBSUB_OK) return status;
  if (pubsub_builder_rows(builder) < SEAL_ROWS && pubsub_builder_bytes(builder) < SEAL_BYTES) {
    return PUBSUB_OK;
  }
  return drop_chunk(builder);
}

static enum pubsub_status reserve_data(void *user, size_t len, uint8_t **out) {
  return pubsub_builder_reserve_data(user, len, out);
}

static enum pubsub_status decode(struct pubsub_pull_decoder *decoder, const struct pubsub_buf *in,
                                 size_t piece, size_t turns) {
  enum pubsub_status status = PUBSUB_OK;
  for (size_t turn = 0; turn < turns && status == PUBSUB_OK; turn++) {
    status = pubsub_pull_decoder_begin(decoder, in->len, NULL);
    for (size_t at = 0; at < in->len && status == PUBSUB_OK; at += piece) {
      size_t len = in->len - at < piece ? in->len - at : piece;
      status = pubsub_pull_decoder_feed(decoder, in->ptr + at, len, NULL);
    }
    if (status == PUBSUB_OK) status = pubsub_pull_decoder_end(decoder, NULL);
  }
  return status;
}

/* CPU nanoseconds a message; negative: failed. */
static double measure(size_t payload_bytes, size_t piece) {
  static const struct pubsub_pull_sink sink = {.on_message = on_message,
                                               .reserve_data = reserve_data};
  struct pubsub_blocks *blocks = NULL;
  struct pubsub_builder *builder = NULL;
  struct pubsub_pull_decoder *decoder = NULL;
  struct pubsub_buf response = {0};
  double best = -1;
  size_t count = encode_response(&response, payload_bytes);
  size_t turns = RUN_BYTES / response.len;
  if (pubsub_blocks_new((uint64_t)64 << 20, &blocks) == PUBSUB_OK &&
      pubsub_builder_new(blocks, PUBSUB_COLUMN_ALL, &builder) == PUBSUB_OK &&
      pubsub_pull_decoder_new(&sink, builder, (size_t)32 << 20, &decoder) == PUBSUB_OK) {
    for (int run = 0; run < RUNS; run++) {
      uint64_t start = cpu_ns();
      if (decode(decoder, &response, piece, turns) != PUBSUB_OK) break;
      double ns = (double)(cpu_ns() - start) / (double)(turns * count);
      if (best < 0 || ns < best) best = ns;
    }
  }
  pubsub_pull_decoder_destroy(decoder);
  pubsub_builder_destroy(builder);
  if (blocks) pubsub_blocks_unref(blocks);
  pubsub_buf_clear(&response);
  return best;
}

int main(void) {
  static const size_t payloads[] = {100, 1000, 10000, 100000};
  static const size_t pieces[] = {256u << 10, 16u << 10};
  double ns[4][2];
  printf("%-10s %14s %14s   CPU us a message\n", "payload", "256 KiB pieces", "16 KiB pieces");
  for (size_t i = 0; i < 4; i++) {
    for (size_t k = 0; k < 2; k++) {
      ns[i][k] = measure(payloads[i], pieces[k]);
      if (ns[i][k] < 0) {
        fprintf(stderr, "decoding %zu bytes failed\n", payloads[i]);
        return 1;
      }
    }
    printf("%-10zu %14.3f %14.3f\n", payloads[i], ns[i][0] / 1000, ns[i][1] / 1000);
  }
  printf("{\"decode\": {");
  for (size_t i = 0; i < 4; i++) {
    printf("%s\"%zu\": {\"cpu_us_whole\": %.4f, \"cpu_us_pieces\": %.4f}", i ? ", " : "",
           payloads[i], ns[i][0] / 1000, ns[i][1] / 1000);
  }
  printf("}}\n");
  return 0;
}
