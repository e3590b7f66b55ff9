#include "support.h"

#include "rpc/gunzip.h"
#include <zlib.h>

static struct pubsub_buf zipped(size_t len) {
  struct pubsub_buf out = {0}, plain = {0};
  z_stream stream = {0};
  assert_int_equal(pubsub_buf_reserve(&plain, len + 1), PUBSUB_OK);
  memset(plain.ptr, 'x', len);
  assert_int_equal(pubsub_buf_reserve(&out, len + 1000), PUBSUB_OK);
  assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  stream.next_in = plain.ptr;
  stream.avail_in = (unsigned)len;
  stream.next_out = out.ptr;
  stream.avail_out = (unsigned)out.cap;
  assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.len = out.cap - stream.avail_out;
  deflateEnd(&stream);
  pubsub_buf_clear(&plain);
  return out;
}

static void what_was_compressed_is_back(void **state) {
  static const size_t sizes[] = {0, 1, 65535, 65536, 1000000};
  (void)state;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    struct pubsub_buf bytes = zipped(sizes[i]);
    assert_true(gunzip(&bytes, 1000000));
    assert_int_equal(bytes.len, sizes[i]);
    pubsub_buf_clear(&bytes);
  }
}

static void more_than_is_allowed_is_refused(void **state) {
  struct pubsub_buf bytes = zipped(5000000);
  (void)state;
  assert_false(gunzip(&bytes, 1000000));
  assert_true(bytes.len < 2000000);
  pubsub_buf_clear(&bytes);
}

static void what_is_cut_or_nonsense_is_refused(void **state) {
  struct pubsub_buf bytes = zipped(1000);
  (void)state;
  bytes.len /= 2;
  assert_false(gunzip(&bytes, 1000000));
  pubsub_buf_clear(&bytes);
  pubsub_buf_append(&bytes, "nonsense", 8);
  assert_false(gunzip(&bytes, 1000000));
  pubsub_buf_clear(&bytes);
  assert_false(gunzip(&bytes, 1000000));
  pubsub_buf_clear(&bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_compressed_is_back),
      cmocka_unit_test(more_than_is_allowed_is_refused),
      cmocka_unit_test(what_is_cut_or_nonsense_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
