/*
 * The answer of a token endpoint, in pieces: a token that a header may carry, or a failure in
 * words. Whatever pieces it comes in, the outcome is the same.
 *
 * Input: how it is split, then what the endpoint sends.
 */
#include "auth/token_request.h"
#include "base/error.h"
#include "support/fuzz.h"
#include <stdlib.h>

struct outcome {
  enum pubsub_status status;
  int http_status;
  struct pubsub_buf token;
  uint64_t lifetime_s;
};

static enum pubsub_status feed(struct pubsub_http_answer *answer, struct fuzz_input *splits,
                               uint8_t mode, struct pubsub_view text, struct pubsub_error *error) {
  enum pubsub_status status = PUBSUB_OK;
  while (text.len > 0 && status == PUBSUB_OK) {
    size_t len = fuzz_split(splits, mode, text.len);
    uint8_t *piece = fuzz_copy(pubsub_view_of(text.ptr, len));
    status = pubsub_http_answer_feed(answer, pubsub_view_of(piece, len), error);
    free(piece);
    text = pubsub_view_of(text.ptr + len, text.len - len);
  }
  return status == PUBSUB_OK ? pubsub_http_answer_end(answer, error) : status;
}

static struct outcome read_all(struct fuzz_input *splits, uint8_t mode, struct pubsub_view text) {
  static const struct pubsub_credentials credentials = {.url = {.host = "tokens.example"}};
  struct pubsub_http_answer answer = {0};
  struct pubsub_error error = {0};
  struct outcome out = {.status = feed(&answer, splits, mode, text, &error)};
  if (out.status == PUBSUB_OK) {
    FUZZ_CHECK(answer.status >= 200 && answer.status < 600);
    out.http_status = answer.status;
    out.status =
        pubsub_token_request_read(&credentials, &answer, &out.token, &out.lifetime_s, &error);
    FUZZ_CHECK(out.status != PUBSUB_OK || (out.token.len > 0 && out.lifetime_s > 0));
  }
  FUZZ_CHECK(out.status == PUBSUB_OK || error.text[0]);
  pubsub_http_answer_clear(&answer);
  return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct fuzz_input input = {data, size};
  uint8_t mode = fuzz_u8(&input);
  struct fuzz_input splits = input;
  struct outcome whole = read_all(&splits, 0, fuzz_rest(&input));
  splits = (struct fuzz_input){data + (size > 0), size - (size > 0)};
  struct outcome pieces =
      read_all(&splits, mode ? mode : 1, pubsub_view_of(splits.ptr, splits.left));
  FUZZ_CHECK(whole.status == pieces.status && whole.http_status == pieces.http_status);
  if (whole.status == PUBSUB_OK) {
    FUZZ_CHECK(whole.lifetime_s == pieces.lifetime_s && whole.token.len == pieces.token.len);
    FUZZ_CHECK(memcmp(whole.token.ptr, pieces.token.ptr, whole.token.len) == 0);
  }
  pubsub_buf_wipe(&whole.token);
  pubsub_buf_wipe(&pieces.token);
  return 0;
}
