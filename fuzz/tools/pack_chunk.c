/* For make_seeds.py: reads a StreamingPullResponse, writes its rows as one packed chunk. Argument:
 * the set of columns. */
#include "batch/builder.h"
#include "support/fuzz.h"
#include <stdio.h>
#include <stdlib.h>

static enum pubsub_status on_message(void *user, const struct pubsub_received *message) {
  return pubsub_builder_append(user, message);
}

static enum pubsub_status reserve_data(void *user, size_t len, uint8_t **out) {
  return pubsub_builder_reserve_data(user, len, out);
}

static const struct pubsub_pull_sink sink = {.on_message = on_message,
                                             .reserve_data = reserve_data};

static void read_response(struct pubsub_builder *builder) {
  static uint8_t bytes[1 << 20];
  struct pubsub_pull_decoder *decoder;
  size_t len = fread(bytes, 1, sizeof bytes, stdin);
  FUZZ_CHECK(pubsub_pull_decoder_new(&sink, builder, sizeof bytes, &decoder) == PUBSUB_OK);
  FUZZ_CHECK(pubsub_pull_decoder_begin(decoder, len, NULL) == PUBSUB_OK);
  FUZZ_CHECK(pubsub_pull_decoder_feed(decoder, bytes, len, NULL) == PUBSUB_OK);
  pubsub_pull_decoder_destroy(decoder);
}

static void write_chunk(struct pubsub_builder *builder) {
  struct pubsub_chunk *chunk;
  struct pubsub_ack_ids ids;
  FUZZ_CHECK(pubsub_builder_seal(builder, &chunk, &ids) == PUBSUB_OK);
  size_t len = pubsub_chunk_packed_bytes(chunk);
  uint8_t *packed = fuzz_alloc(len);
  pubsub_chunk_pack(chunk, packed);
  FUZZ_CHECK(fwrite(packed, 1, len, stdout) == len);
  free(packed);
  pubsub_ack_ids_clear(&ids);
  pubsub_chunk_unref(chunk);
}

int main(int argc, char **argv) {
  struct pubsub_blocks *blocks;
  struct pubsub_builder *builder;
  uint32_t columns = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : PUBSUB_COLUMN_ALL;
  FUZZ_CHECK(pubsub_blocks_new((uint64_t)1 << 20, &blocks) == PUBSUB_OK);
  FUZZ_CHECK(pubsub_builder_new(blocks, columns, &builder) == PUBSUB_OK);
  read_response(builder);
  write_chunk(builder);
  pubsub_builder_destroy(builder);
  pubsub_blocks_unref(blocks);
  return 0;
}
