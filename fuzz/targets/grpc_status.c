/*
 * A call's headers and trailers: the verdict, percent-decoding of grpc-message, base64 of the
 * details; and the routing header, which is made of a user's names.
 *
 * Input: a head, then headers, each with a name of the list below or of its own.
 */
#include "grpc/verdict.h"
#include "grpc/routing.h"
#include "base/alloc.h"
#include "support/fuzz.h"
#include <stdio.h>
#include <stdlib.h>

static const char *const names[] = {":status", "content-type", "grpc-status", "grpc-message",
                                    "grpc-status-details-bin"};
#define NAME_COUNT (sizeof names / sizeof *names)

static void read_header(struct pubsub_verdict *verdict, struct pubsub_view name,
                        struct pubsub_view value, bool trailers) {
  struct pubsub_h2_header header = {name, value, false};
  pubsub_verdict_read(verdict, &header, trailers);
  FUZZ_CHECK(memchr(verdict->grpc_message, 0, sizeof verdict->grpc_message) != NULL);
  FUZZ_CHECK(verdict->details.len <= value.len || verdict->details.len <= verdict->details.cap);
  FUZZ_CHECK(verdict->grpc_status >= -1 && verdict->grpc_status <= 16);
}

static void read_any_header(struct pubsub_verdict *verdict, struct fuzz_input *input) {
  uint8_t kind = fuzz_u8(input);
  struct pubsub_view name, value;
  if (kind % 64 % (NAME_COUNT + 1) < NAME_COUNT) {
    name = pubsub_view_str(names[kind % 64 % (NAME_COUNT + 1)]);
  } else {
    name = fuzz_bytes(input, fuzz_u8(input));
  }
  value = fuzz_bytes(input, fuzz_u8(input) * (kind & 0x40 ? 16u : 1u));
  uint8_t *copy = fuzz_copy(value);
  read_header(verdict, name, pubsub_view_of(copy, value.len), kind & 0x80);
  free(copy);
}

static void check_verdict(const struct pubsub_verdict *verdict, bool at_boundary) {
  struct pubsub_error error;
  enum pubsub_status status = pubsub_verdict_result(verdict, at_boundary, &error);
  FUZZ_CHECK(status == error.status);
  if (status == PUBSUB_OK) {
    FUZZ_CHECK(verdict->grpc_status == 0 && verdict->http_status == 200 && verdict->is_grpc);
    FUZZ_CHECK(at_boundary);
  } else {
    FUZZ_CHECK(error.text[0] && memchr(error.text, 0, sizeof error.text));
    FUZZ_CHECK(verdict->grpc_status <= 0 || (status == PUBSUB_E_GRPC));
  }
}

/* Bytes that were written as base64 (without padding, as gRPC has it) come back. */
static void check_base64(struct pubsub_verdict *verdict, struct pubsub_view bytes) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint8_t *text = fuzz_alloc(bytes.len * 2 + 1);
  size_t len = 0;
  uint32_t bits = 0;
  int count = 0;
  for (size_t i = 0; i < bytes.len; i++) {
    bits = bits << 8 | bytes.ptr[i];
    for (count += 8; count >= 6; count -= 6)
      text[len++] = (uint8_t)digits[bits >> (count - 6) & 63];
  }
  if (count > 0) text[len++] = (uint8_t)digits[bits << (6 - count) & 63];
  read_header(verdict, pubsub_view_str("grpc-status-details-bin"), pubsub_view_of(text, len), true);
  FUZZ_CHECK(pubsub_view_equal(pubsub_view_of(verdict->details.ptr, verdict->details.len), bytes));
  free(text);
}

/* A message of printed ASCII or not, percent-encoded byte by byte, comes back as far as there is
 * room; NUL as a blank. */
static void check_percent(struct pubsub_verdict *verdict, struct pubsub_view bytes) {
  char *text = fuzz_alloc(bytes.len * 3 + 1);
  for (size_t i = 0; i < bytes.len; i++)
    snprintf(text + 3 * i, 4, "%%%02x", bytes.ptr[i]);
  read_header(verdict, pubsub_view_str("grpc-message"), pubsub_view_of(text, bytes.len * 3), true);
  for (size_t i = 0; i < bytes.len && i < sizeof verdict->grpc_message - 1; i++)
    FUZZ_CHECK((uint8_t)verdict->grpc_message[i] == (bytes.ptr[i] ? bytes.ptr[i] : ' '));
  free(text);
}

/* Nothing but what a header may have, and no name that looks like two parameters. */
static void check_routing(struct pubsub_view name) {
  char *header = pubsub_routing_header("topic", name);
  FUZZ_CHECK(header && strncmp(header, "topic=", 6) == 0);
  for (const char *c = header + 6; *c; c++)
    FUZZ_CHECK(*c > ' ' && *c < 0x7f && *c != '&' && *c != '=' && *c != '/');
  pubsub_free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  struct pubsub_verdict verdict;
  pubsub_verdict_init(&verdict);
  bool at_boundary = fuzz_u8(&input) % 2 == 0;
  size_t head = size < 40 ? size : 40;
  check_routing(pubsub_view_of(data, head));
  check_base64(&verdict, pubsub_view_of(data, size < 2000 ? size : 2000));
  check_percent(&verdict, pubsub_view_of(data, size < 2000 ? size : 2000));
  verdict.grpc_message[0] = '\0';
  while (input.left > 0)
    read_any_header(&verdict, &input);
  check_verdict(&verdict, at_boundary);
  pubsub_verdict_clear(&verdict);
  return 0;
}
