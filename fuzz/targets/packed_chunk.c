/* A packed chunk from another process: refused, or a chunk of which everything holds that a reader
 * relies on. */
#include "support/chunk_check.h"
#include "support/fuzz.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct pubsub_chunk *chunk;
  struct pubsub_error error = {0};
  uint8_t *packed = fuzz_copy(pubsub_view_of(data, size));
  enum pubsub_status status = pubsub_chunk_unpack(packed, size, &chunk, &error);
  free(packed);
  FUZZ_CHECK(status == PUBSUB_OK || (status == PUBSUB_E_PROTOCOL && error.text[0]));
  if (status == PUBSUB_OK) {
    chunk_check(chunk);
    pubsub_chunk_unref(chunk);
  }
  return 0;
}
