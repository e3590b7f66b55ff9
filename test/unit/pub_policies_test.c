#include "support.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "proto/publish_encoder.h"
#include "pub/gzip.h"
#include "pub/ordering.h"
#include "pub/retry.h"
#include "pub/row_block.h"
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

static struct pubsub_bytes bytes_of(const void *ptr, size_t len) {
  return (struct pubsub_bytes){ptr, len};
}

/* Each limit of the service, at it and one beyond. */
static void limits_of_a_message(void **state) {
  static uint8_t big[10000100];
  struct pubsub_attribute attributes[101];
  char keys[101][8];
  size_t bytes;
  (void)state;
  memset(big, 'x', sizeof big);
  for (size_t i = 0; i < 101; i++) {
    snprintf(keys[i], sizeof keys[i], "k%zu", i % 1000);
    attributes[i] = (struct pubsub_attribute){bytes_of(keys[i], strlen(keys[i])), bytes_of(big, 1)};
  }
  struct pubsub_attribute longest = {bytes_of(big, 256), bytes_of(big, 1024)};
  struct pubsub_attribute key_too_long = {bytes_of(big, 257), bytes_of(big, 1)};
  struct pubsub_attribute value_too_long = {bytes_of(big, 1), bytes_of(big, 1025)};
  struct pubsub_attribute not_text = {bytes_of(big, 1), bytes_of("\xff", 1)};
  struct pubsub_attribute reserved = {bytes_of("googx", 5), bytes_of(big, 1)};
  const struct {
    struct pubsub_message message;
    enum pubsub_status status;
  } cases[] = {
      {{.data = bytes_of(big, 1)}, PUBSUB_OK},
      {{.data = bytes_of(NULL, 0)}, PUBSUB_E_LIMIT},
      {{.attributes = attributes, .attribute_count = 1}, PUBSUB_OK},
      {{.attributes = attributes, .attribute_count = 100}, PUBSUB_OK},
      {{.attributes = attributes, .attribute_count = 101}, PUBSUB_E_LIMIT},
      {{.attributes = &longest, .attribute_count = 1}, PUBSUB_OK},
      {{.attributes = &key_too_long, .attribute_count = 1}, PUBSUB_E_LIMIT},
      {{.attributes = &value_too_long, .attribute_count = 1}, PUBSUB_E_LIMIT},
      {{.attributes = &not_text, .attribute_count = 1}, PUBSUB_E_INVALID},
      {{.attributes = &reserved, .attribute_count = 1}, PUBSUB_E_LIMIT},
      {{.data = bytes_of(big, 1), .ordering_key = bytes_of(big, 1024)}, PUBSUB_OK},
      {{.data = bytes_of(big, 1), .ordering_key = bytes_of(big, 1025)}, PUBSUB_E_LIMIT},
      {{.data = bytes_of(big, 9999995)}, PUBSUB_OK},
      {{.data = bytes_of(big, 9999996)}, PUBSUB_E_LIMIT},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct pubsub_error error = {0};
    enum pubsub_status status = pubsub_publish_measure(&cases[i].message, &bytes, &error);
    if (status != cases[i].status) fail_msg("case %zu: status %d: %s", i, status, error.text);
    assert_int_equal(status != PUBSUB_OK, error.text[0] != '\0');
  }
}

static void encoding_is_what_the_generated_code_reads(void **state) {
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 5);
  for (int turn = 0; turn < 200; turn++) {
    struct pubsub_buf out = {0};
    struct pubsub_attribute attributes[3] = {{bytes_of("a", 1), bytes_of("1", 1)},
                                             {bytes_of("b", 1), bytes_of("", 0)},
                                             {bytes_of("c", 1), bytes_of("three", 5)}};
    char *data = calloc(1, 3000);
    size_t len = 1 + pubsub_rng_below(&rng, 2999), bytes;
    struct pubsub_message message = {.data = bytes_of(data, len),
                                     .attributes = attributes,
                                     .attribute_count = pubsub_rng_below(&rng, 4),
                                     .ordering_key = bytes_of("key", turn % 2 * 3u)};
    assert_int_equal(pubsub_publish_encode_topic(&out, pubsub_view_str("projects/p/topics/t")),
                     PUBSUB_OK);
    assert_int_equal(pubsub_publish_measure(&message, &bytes, NULL), PUBSUB_OK);
    assert_int_equal(pubsub_publish_field_bytes(&message), bytes);
    assert_int_equal(pubsub_buf_reserve(&out, bytes), PUBSUB_OK);
    assert_ptr_equal(pubsub_publish_encode(&message, out.ptr + out.len), out.ptr + out.len + bytes);
    out.len += bytes;
    Google__Pubsub__V1__PublishRequest *request =
        google__pubsub__v1__publish_request__unpack(NULL, out.len, out.ptr);
    assert_non_null(request);
    assert_string_equal(request->topic, "projects/p/topics/t");
    assert_int_equal(request->n_messages, 1);
    assert_int_equal(request->messages[0]->data.len, len);
    assert_int_equal(request->messages[0]->n_attributes, message.attribute_count);
    assert_string_equal(request->messages[0]->ordering_key, turn % 2 ? "key" : "");
    if (message.attribute_count == 3) {
      assert_string_equal(request->messages[0]->attributes[2]->value, "three");
    }
    google__pubsub__v1__publish_request__free_unpacked(request, NULL);
    pubsub_buf_clear(&out);
    free(data);
  }
}

struct item {
  struct pubsub_ordering_item order;
  char key[8];
  int number;
  bool under_way;
};

static void a_key_has_one_request_under_way(void **state) {
  enum { ITEMS = 500 };
  static struct item items[ITEMS];
  struct pubsub_ordering ordering;
  struct pubsub_rng rng;
  int last[4] = {-1, -1, -1, -1};
  size_t done = 0, added = 0;
  (void)state;
  pubsub_rng_seed(&rng, 6);
  pubsub_ordering_init(&ordering, 3, 3);
  while (done < ITEMS) {
    if (added < ITEMS && pubsub_rng_below(&rng, 2)) {
      struct item *item = &items[added];
      *item = (struct item){.number = (int)added++};
      unsigned key = (unsigned)pubsub_rng_below(&rng, 5);
      snprintf(item->key, sizeof item->key, "%u", key);
      item->order.key = pubsub_view_of(item->key, key == 4 ? 0 : 1);
      assert_int_equal(pubsub_ordering_add(&ordering, &item->order), PUBSUB_OK);
    }
    struct pubsub_ordering_item *next = pubsub_ordering_next(&ordering);
    if (next) {
      struct item *item = PUBSUB_CONTAINER_OF(next, struct item, order);
      item->under_way = true;
      if (next->key.len > 0) {
        int key = item->key[0] - '0';
        assert_true(last[key] < item->number); /* in the order of adding */
        last[key] = item->number;
        for (size_t i = 0; i < added; i++) {
          if (&items[i] == item || !items[i].under_way || items[i].order.key.len == 0) continue;
          assert_true(items[i].key[0] != item->key[0]);
        }
      }
    }
    size_t pick = added ? pubsub_rng_below(&rng, added) : 0;
    for (size_t i = 0; i < added; i++) {
      struct item *item = &items[(pick + i) % added];
      if (!item->under_way) continue;
      item->under_way = false;
      pubsub_ordering_done(&ordering, &item->order);
      done++;
      break;
    }
  }
  assert_null(pubsub_ordering_next(&ordering));
  pubsub_ordering_clear(&ordering);
}

static void what_is_retried(void **state) {
  struct pubsub_retry_limits limits = {100000, 60000000, 600000000, 60000000};
  static const int permanent[] = {PUBSUB_GRPC_INVALID_ARGUMENT, PUBSUB_GRPC_NOT_FOUND,
                                  PUBSUB_GRPC_PERMISSION_DENIED, PUBSUB_GRPC_FAILED_PRECONDITION};
  static const int transient[] = {
      PUBSUB_GRPC_ABORTED,     PUBSUB_GRPC_CANCELLED,          PUBSUB_GRPC_INTERNAL,
      PUBSUB_GRPC_UNAVAILABLE, PUBSUB_GRPC_RESOURCE_EXHAUSTED, PUBSUB_GRPC_DEADLINE_EXCEEDED,
      PUBSUB_GRPC_UNKNOWN};
  struct pubsub_rng rng;
  struct pubsub_error why = {0};
  uint64_t delay, now = 1000, ceiling = 100000;
  (void)state;
  pubsub_rng_seed(&rng, 8);
  for (size_t i = 0; i < 4; i++) {
    struct pubsub_retry retry;
    pubsub_retry_init(&retry, &limits);
    pubsub_retry_attempt_us(&retry, &limits, now);
    pubsub_error_set_grpc(&why, permanent[i], "no");
    assert_false(pubsub_retry_again(&retry, &limits, &why, now, &rng, &delay));
  }
  for (size_t i = 0; i < sizeof transient / sizeof *transient; i++) {
    struct pubsub_retry retry;
    pubsub_retry_init(&retry, &limits);
    pubsub_retry_attempt_us(&retry, &limits, now);
    pubsub_error_set_grpc(&why, transient[i], "later");
    assert_true(pubsub_retry_again(&retry, &limits, &why, now, &rng, &delay));
  }
  struct pubsub_retry retry;
  pubsub_retry_init(&retry, &limits);
  pubsub_retry_attempt_us(&retry, &limits, now);
  struct pubsub_error utf8 = {0};
  pubsub_error_set_grpc(&utf8, PUBSUB_GRPC_INTERNAL, "string field contains invalid UTF-8");
  assert_false(pubsub_retry_again(&retry, &limits, &utf8, now, &rng, &delay));
  while (pubsub_retry_again(&retry, &limits, &why, now, &rng, &delay)) {
    assert_true(delay >= ceiling && delay <= ceiling + ceiling / 4);
    ceiling = ceiling * 2 > 60000000 ? 60000000 : ceiling * 2;
    now += delay;
    assert_true(pubsub_retry_attempt_us(&retry, &limits, now) <= limits.call_timeout_us);
  }
  assert_true(now <= 600001000 && now >= 600000000 - 60000000); /* in total, from the first send */
}

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

static void put_u32(struct pubsub_buf *out, uint32_t value) {
  uint8_t le[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16),
                   (uint8_t)(value >> 24)};
  assert_int_equal(pubsub_buf_append(out, le, 4), PUBSUB_OK);
}

/* Blocks with any byte wrong, or cut anywhere, are refused or read, never read beyond. */
static void hostile_row_blocks(void **state) {
  struct pubsub_buf block = {0};
  struct pubsub_rng rng;
  struct pubsub_row_block *reader = malloc(sizeof *reader);
  (void)state;
  pubsub_rng_seed(&rng, 11);
  put_u32(&block, 4 + 3 + 4 + 1 + 4 + 4 + 1 + 4 + 2);
  put_u32(&block, 3);
  pubsub_buf_append(&block, "abc", 3);
  put_u32(&block, 1);
  pubsub_buf_append(&block, "o", 1);
  put_u32(&block, 1);
  put_u32(&block, 1);
  pubsub_buf_append(&block, "k", 1);
  put_u32(&block, 2);
  pubsub_buf_append(&block, "vv", 2);
  pubsub_row_block_init(reader, pubsub_view_of(block.ptr, block.len));
  assert_int_equal(pubsub_row_block_next(reader, NULL), PUBSUB_OK);
  assert_int_equal(reader->row.data.len, 3);
  assert_int_equal(reader->row.ordering_key.len, 1);
  assert_int_equal(reader->row.attributes[0].value.len, 2);
  assert_true(pubsub_row_block_at_end(reader));
  for (int turn = 0; turn < 5000; turn++) {
    size_t len = turn % 2 ? block.len : pubsub_rng_below(&rng, block.len);
    uint8_t *copy = malloc(len + 1);
    memcpy(copy, block.ptr, len);
    if (len > 0) copy[pubsub_rng_below(&rng, len)] ^= (uint8_t)(1 << pubsub_rng_below(&rng, 8));
    uint8_t *exact = malloc(len ? len : 1);
    memcpy(exact, copy, len);
    pubsub_row_block_init(reader, pubsub_view_of(exact, len));
    size_t bytes;
    if (pubsub_row_block_next(reader, NULL) == PUBSUB_OK)
      pubsub_publish_measure(&reader->row, &bytes, NULL);
    free(exact);
    free(copy);
  }
  free(reader);
  pubsub_buf_clear(&block);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(limits_of_a_message, no_leaks),
      cmocka_unit_test_teardown(encoding_is_what_the_generated_code_reads, no_leaks),
      cmocka_unit_test_teardown(a_key_has_one_request_under_way, no_leaks),
      cmocka_unit_test_teardown(what_is_retried, no_leaks),
      cmocka_unit_test_teardown(a_request_is_packed_where_that_saves_bytes, no_leaks),
      cmocka_unit_test_teardown(hostile_row_blocks, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
