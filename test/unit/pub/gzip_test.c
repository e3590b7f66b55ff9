#include "support.h"

#include "base/alloc.h"
#include "pub/gzip.h"
#include "pub/retry.h"
#include <stdlib.h>
#include <zlib.h>

/* What the service would read; into `out`, of `room` bytes. */
static size_t gunzip(const uint8_t *packed, size_t len, uint8_t *out, size_t room) {
  z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed,
                     .avail_in = (uInt)len,
                     .next_out = out,
                     .avail_out = (uInt)room};
  assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
  assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
  size_t read = stream.total_out;
  inflateEnd(&stream);
  return read;
}

static void a_request_is_packed_where_that_saves_bytes(void **state) {
  enum { BYTES = 100000 };
  uint8_t *plain = malloc(BYTES), *packed = malloc(BYTES), *back = malloc(BYTES);
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 5);
  for (size_t i = 0; i < BYTES; i++)
    plain[i] = (uint8_t)('a' + pubsub_rng_below(&rng, 4));
  size_t len = pubsub_gzip(pubsub_view_of(plain, BYTES), packed, BYTES);
  assert_true(len > 0 && len < BYTES / 2);
  assert_int_equal(gunzip(packed, len, back, BYTES), BYTES);
  assert_memory_equal(back, plain, BYTES);
  assert_int_equal(pubsub_gzip(pubsub_view_of(plain, BYTES), packed, len - 1), 0);
  for (size_t i = 0; i < BYTES; i++)
    plain[i] = (uint8_t)pubsub_rng_below(&rng, 256);
  assert_int_equal(pubsub_gzip(pubsub_view_of(plain, BYTES), packed, BYTES), 0);
  for (uint64_t nth = 1; nth <= 5; nth++) { /* without memory it goes as it is */
    pubsub_alloc_fail_after(nth);
    size_t got = pubsub_gzip(pubsub_view_of(plain, 1000), packed, BYTES);
    pubsub_alloc_fail_after(0);
    assert_true(got == 0 || gunzip(packed, got, back, BYTES) == 1000);
  }
  free(plain);
  free(packed);
  free(back);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_request_is_packed_where_that_saves_bytes, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
