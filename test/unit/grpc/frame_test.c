#include "support.h"

#include "grpc/frame.h"

struct seen {
  char text[256];
  size_t len;
};

static enum pubsub_status on_begin(void *user, size_t bytes, bool compressed) {
  struct seen *seen = user;
  (void)bytes;
  seen->text[seen->len++] = compressed ? 'C' : '[';
  return PUBSUB_OK;
}
static enum pubsub_status on_data(void *user, const uint8_t *data, size_t len) {
  struct seen *seen = user;
  memcpy(seen->text + seen->len, data, len);
  seen->len += len;
  return PUBSUB_OK;
}
static enum pubsub_status on_end(void *user) {
  struct seen *seen = user;
  seen->text[seen->len++] = ']';
  return PUBSUB_OK;
}
static const struct pubsub_frame_handler handler = {on_begin, on_data, on_end};

static const uint8_t stream[] = "\0\0\0\0\5hello\0\0\0\0\0\1\0\0\0\2hi\0\0\0\0\0";
static const size_t stream_len = sizeof stream - 1;

static void every_split_gives_the_same(void **state) {
  (void)state;
  for (size_t a = 0; a <= stream_len; a++) {
    for (size_t b = a; b <= stream_len; b++) {
      struct pubsub_frame_parser parser;
      struct seen seen = {{0}, 0};
      pubsub_frame_parser_init(&parser, 100);
      assert_int_equal(pubsub_frame_parser_feed(&parser, &handler, &seen, stream, a), PUBSUB_OK);
      assert_int_equal(pubsub_frame_parser_feed(&parser, &handler, &seen, stream + a, b - a),
                       PUBSUB_OK);
      assert_int_equal(
          pubsub_frame_parser_feed(&parser, &handler, &seen, stream + b, stream_len - b),
          PUBSUB_OK);
      assert_true(pubsub_frame_parser_at_boundary(&parser));
      assert_string_equal(seen.text, "[hello][]Chi][]");
    }
  }
}

static void limits_and_flags_are_checked(void **state) {
  struct pubsub_frame_parser parser;
  struct seen seen = {{0}, 0};
  (void)state;
  pubsub_frame_parser_init(&parser, 4);
  assert_int_equal(pubsub_frame_parser_feed(&parser, &handler, &seen, stream, 5),
                   PUBSUB_E_PROTOCOL);
  pubsub_frame_parser_init(&parser, 100);
  assert_int_equal(
      pubsub_frame_parser_feed(&parser, &handler, &seen, (const uint8_t *)"\2\0\0\0\1", 5),
      PUBSUB_E_PROTOCOL);
  pubsub_frame_parser_init(&parser, 100);
  assert_int_equal(pubsub_frame_parser_feed(&parser, &handler, &seen, stream, 7), PUBSUB_OK);
  assert_false(pubsub_frame_parser_at_boundary(&parser));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(every_split_gives_the_same, no_leaks),
      cmocka_unit_test_teardown(limits_and_flags_are_checked, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
