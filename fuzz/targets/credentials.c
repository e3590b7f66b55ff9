/*
 * A file of credentials: it is refused in words, or makes a request of one head and one form,
 * whatever its texts hold. Keys are not shown in errors.
 *
 * Input: the file.
 */
#include "auth/token_request.h"
#include "support/fuzz.h"
#include <stdlib.h>

static size_t count(struct pubsub_view text, const char *what) {
  size_t found = 0, len = strlen(what);
  for (size_t i = 0; i + len <= text.len; i++)
    found += memcmp(text.ptr + i, what, len) == 0;
  return found;
}

static void check_request(const struct pubsub_credentials *credentials) {
  struct pubsub_buf request = {0};
  struct pubsub_error error = {0};
  enum pubsub_status status = pubsub_token_request_write(credentials, 1700000000, &request, &error);
  if (status == PUBSUB_OK) {
    struct pubsub_view text = pubsub_view_of(request.ptr, request.len);
    FUZZ_CHECK(count(text, "\r\n\r\n") == 1 && count(text, "\r\nHost: ") == 1);
    FUZZ_CHECK(count(text, "\r\nContent-Length: ") == 1);
  } else {
    FUZZ_CHECK(status == PUBSUB_E_INVALID && error.text[0]);
    const struct pubsub_buf *key = &credentials->key;
    FUZZ_CHECK(key->len < 30 || !memmem(error.text, strlen(error.text), key->ptr, key->len));
  }
  pubsub_buf_wipe(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct pubsub_credentials credentials;
  struct pubsub_error error = {0};
  uint8_t *copy = fuzz_copy(pubsub_view_of(data, size));
  enum pubsub_status status =
      pubsub_credentials_read(pubsub_view_of(copy, size), "file", &credentials, &error);
  free(copy);
  if (status == PUBSUB_OK) {
    check_request(&credentials);
  } else {
    FUZZ_CHECK(status == PUBSUB_E_INVALID && error.text[0]);
  }
  pubsub_credentials_clear(&credentials);
  return 0;
}
