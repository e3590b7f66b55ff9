/* The push decoder against the generated code: the same rows from any split, an error from any
 * split, or neither. */
#include "support.h"

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/rng.h"
#include "google/pubsub/v1/pubsub.pb-c.h"
#include "proto/pull_decoder.h"
#include <stdio.h>
#include <stdlib.h>

/* Everything the sink was told, as one text. */
struct log {
  struct pubsub_buf text;
  uint8_t *reserved;
};

static void put(struct log *log, const void *ptr, size_t len) {
  assert_int_equal(pubsub_buf_append(&log->text, &len, sizeof len), PUBSUB_OK);
  if (len > 0) assert_int_equal(pubsub_buf_append(&log->text, ptr, len), PUBSUB_OK);
}

static enum pubsub_status on_message(void *user, const struct pubsub_received *message) {
  struct log *log = user;
  put(log, message->ack_id.ptr, message->ack_id.len);
  put(log, message->message_id.ptr, message->message_id.len);
  put(log, message->data.ptr, message->data.len);
  put(log, message->ordering_key.ptr, message->ordering_key.len);
  for (size_t i = 0; i < message->attribute_count; i++) {
    put(log, message->attributes[i].key.ptr, message->attributes[i].key.len);
    put(log, message->attributes[i].value.ptr, message->attributes[i].value.len);
  }
  put(log, &message->publish_time_us, 8);
  put(log, &message->delivery_attempt, 4);
  return PUBSUB_OK;
}

static enum pubsub_status reserve_data(void *user, size_t len, uint8_t **out) {
  struct log *log = user;
  assert_true(len <= (size_t)1 << 20); /* never more than the response has */
  free(log->reserved);
  *out = log->reserved = malloc(len);
  return PUBSUB_OK;
}

static const struct pubsub_pull_sink sink = {.on_message = on_message,
                                             .reserve_data = reserve_data};

/* Feeds the response in pieces of `piece` bytes (0: whole), or cut at a and b. */
static enum pubsub_status decode(struct pubsub_view response, size_t a, size_t b, size_t piece,
                                 struct log *log) {
  struct pubsub_pull_decoder *decoder;
  *log = (struct log){0};
  assert_int_equal(pubsub_pull_decoder_new(&sink, log, (size_t)1 << 24, &decoder), PUBSUB_OK);
  enum pubsub_status status = pubsub_pull_decoder_begin(decoder, response.len, NULL);
  for (size_t at = 0; status == PUBSUB_OK && at < response.len;) {
    size_t end = response.len;
    if (piece > 0 && at + piece < end) end = at + piece;
    if (at < a && a < end) end = a;
    if (at < b && b < end) end = b;
    /* A copy of its exact size: reading beyond it is an error that the sanitizer sees. */
    uint8_t *copy = malloc(end - at);
    memcpy(copy, response.ptr + at, end - at);
    status = pubsub_pull_decoder_feed(decoder, copy, end - at, NULL);
    free(copy);
    at = end;
  }
  if (status == PUBSUB_OK) status = pubsub_pull_decoder_end(decoder, NULL);
  pubsub_pull_decoder_destroy(decoder);
  free(log->reserved);
  return status;
}

static char *text_of(struct pubsub_rng *rng, size_t max) {
  size_t len = pubsub_rng_below(rng, max + 1);
  char *text = malloc(len + 1);
  for (size_t i = 0; i < len; i++)
    text[i] = (char)('a' + pubsub_rng_below(rng, 26));
  text[len] = '\0';
  return text;
}

/* A random response, encoded by the generated code, and what the sink should hear of it. */
static struct pubsub_buf random_response(struct pubsub_rng *rng, size_t max_data,
                                         struct log *expected) {
  Google__Pubsub__V1__StreamingPullResponse response =
      GOOGLE__PUBSUB__V1__STREAMING_PULL_RESPONSE__INIT;
  Google__Pubsub__V1__ReceivedMessage received[8], *received_of[8];
  Google__Pubsub__V1__PubsubMessage messages[8];
  Google__Protobuf__Timestamp times[8];
  Google__Pubsub__V1__PubsubMessage__AttributesEntry entries[8][4], *entries_of[8][4];
  struct pubsub_buf out = {0};
  *expected = (struct log){0};
  response.n_received_messages = pubsub_rng_below(rng, 8);
  response.received_messages = received_of;
  for (size_t i = 0; i < response.n_received_messages; i++) {
    google__pubsub__v1__received_message__init(&received[i]);
    google__pubsub__v1__pubsub_message__init(&messages[i]);
    google__protobuf__timestamp__init(&times[i]);
    received_of[i] = &received[i];
    received[i].ack_id = text_of(rng, 200);
    received[i].message = &messages[i];
    received[i].delivery_attempt = (int32_t)pubsub_rng_below(rng, 3);
    messages[i].data.len = pubsub_rng_below(rng, max_data + 1);
    messages[i].data.data = malloc(messages[i].data.len + 1);
    memset(messages[i].data.data, (int)('0' + i), messages[i].data.len);
    messages[i].message_id = text_of(rng, 20);
    messages[i].ordering_key = text_of(rng, pubsub_rng_below(rng, 2) * 10);
    messages[i].publish_time = &times[i];
    times[i].seconds = (int64_t)pubsub_rng_below(rng, 4000000000u);
    times[i].nanos = (int32_t)pubsub_rng_below(rng, 1000000000u);
    messages[i].n_attributes = pubsub_rng_below(rng, 5);
    messages[i].attributes = entries_of[i];
    for (size_t k = 0; k < messages[i].n_attributes; k++) {
      google__pubsub__v1__pubsub_message__attributes_entry__init(&entries[i][k]);
      entries_of[i][k] = &entries[i][k];
      entries[i][k].key = malloc(24);
      snprintf(entries[i][k].key, 24, "k%zu", k);
      entries[i][k].value = text_of(rng, 30);
    }
  }
  pubsub_buf_reserve(&out, protobuf_c_message_get_packed_size(&response.base) + 1);
  out.len = protobuf_c_message_pack(&response.base, out.ptr);
  for (size_t i = 0; i < response.n_received_messages; i++) {
    int64_t us = times[i].seconds * 1000000 + times[i].nanos / 1000;
    put(expected, received[i].ack_id, strlen(received[i].ack_id));
    put(expected, messages[i].message_id, strlen(messages[i].message_id));
    put(expected, messages[i].data.data, messages[i].data.len);
    put(expected, messages[i].ordering_key, strlen(messages[i].ordering_key));
    for (size_t k = 0; k < messages[i].n_attributes; k++) {
      put(expected, entries[i][k].key, strlen(entries[i][k].key));
      put(expected, entries[i][k].value, strlen(entries[i][k].value));
      free(entries[i][k].key);
      free(entries[i][k].value);
    }
    put(expected, &us, 8);
    put(expected, &received[i].delivery_attempt, 4);
    free(received[i].ack_id);
    free(messages[i].message_id);
    free(messages[i].ordering_key);
    free(messages[i].data.data);
  }
  return out;
}

static void assert_same(const struct log *a, const struct log *b) {
  assert_int_equal(a->text.len, b->text.len);
  if (a->text.len > 0) assert_memory_equal(a->text.ptr, b->text.ptr, a->text.len);
}

static void agrees_with_the_generated_code(void **state) {
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 42);
  for (int turn = 0; turn < 200; turn++) {
    struct log expected, got;
    /* Small ones are stashed whole when cut, large ones are entered. */
    struct pubsub_buf response = random_response(&rng, turn % 4 ? 300 : 20000, &expected);
    struct pubsub_view view = pubsub_view_of(response.ptr, response.len);
    size_t pieces[] = {0, 1, 7, 100, 4096, pubsub_rng_below(&rng, 9000) + 1};
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
      assert_int_equal(decode(view, 0, 0, pieces[i], &got), PUBSUB_OK);
      assert_same(&expected, &got);
      pubsub_buf_clear(&got.text);
    }
    pubsub_buf_clear(&response);
    pubsub_buf_clear(&expected.text);
  }
}

static void every_two_way_split(void **state) {
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 43);
  for (int turn = 0; turn < 6; turn++) {
    struct log expected, got;
    struct pubsub_buf response = random_response(&rng, turn % 2 ? 60 : 9000, &expected);
    for (size_t at = 0; at < response.len; at++) {
      assert_int_equal(decode(pubsub_view_of(response.ptr, response.len), at, 0, 0, &got),
                       PUBSUB_OK);
      assert_same(&expected, &got);
      pubsub_buf_clear(&got.text);
    }
    pubsub_buf_clear(&response);
    pubsub_buf_clear(&expected.text);
  }
}

/* Whatever a peer sends: no crash, and the split does not change the verdict. */
static void hostile_bytes(void **state) {
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 44);
  for (int turn = 0; turn < 3000; turn++) {
    struct log expected, whole, cut;
    struct pubsub_buf response = random_response(&rng, turn % 8 ? 40 : 9000, &expected);
    pubsub_buf_clear(&expected.text);
    for (int flips = 1 + (int)pubsub_rng_below(&rng, 4); flips > 0 && response.len > 0; flips--) {
      response.ptr[pubsub_rng_below(&rng, response.len)] ^=
          (uint8_t)(1 << pubsub_rng_below(&rng, 8));
    }
    if (turn % 3 == 0 && response.len > 0) response.len = pubsub_rng_below(&rng, response.len);
    struct pubsub_view view = pubsub_view_of(response.ptr, response.len);
    enum pubsub_status a = decode(view, 0, 0, 0, &whole);
    enum pubsub_status b = decode(view, 0, 0, 1 + pubsub_rng_below(&rng, 64), &cut);
    assert_int_equal(a, b);
    if (a == PUBSUB_OK) assert_same(&whole, &cut);
    pubsub_buf_clear(&whole.text);
    pubsub_buf_clear(&cut.text);
    pubsub_buf_clear(&response);
  }
}

struct raw_case {
  const char *name, *bytes;
  size_t len;
  enum pubsub_status status;
  const char *data; /* of the one message, where it is good */
};
#define RAW(name, bytes, status, data)                                                             \
  { name, bytes, sizeof bytes - 1, status, data }

static void single_cases(void **state) {
  static const struct raw_case cases[] = {
      RAW("empty response", "", PUBSUB_OK, NULL),
      RAW("no message inside",
          "\x0a\x03\x0a\x01"
          "a",
          PUBSUB_OK, ""),
      RAW("data last, id first",
          "\x0a\x08\x12\x06\x1a\x01"
          "1"
          "\x0a\x01"
          "d",
          PUBSUB_OK, "d"),
      RAW("data twice: the last",
          "\x0a\x08\x12\x06\x0a\x01"
          "x"
          "\x0a\x01"
          "y",
          PUBSUB_OK, "y"),
      RAW("message twice: merged",
          "\x0a\x0a\x12\x03\x0a\x01"
          "x"
          "\x12\x03\x1a\x01"
          "1",
          PUBSUB_OK, "x"),
      RAW("ends inside a message",
          "\x78\x05\x0a\x09\x12\x03\x0a\x01"
          "d"
          "\xa5\x06"
          "abcd",
          PUBSUB_E_PROTOCOL, NULL),
      RAW("unknown fixed32",
          "\x0a\x0b\x12\x03\x0a\x01"
          "d"
          "\xa5\x06"
          "abcd",
          PUBSUB_OK, "d"),
      RAW("longer than its message",
          "\x0a\x05\x12\x04\x0a\x09"
          "d",
          PUBSUB_E_PROTOCOL, NULL),
      RAW("claims two gigabytes",
          "\x0a\xff\xff\xff\xff\x07"
          "d",
          PUBSUB_E_PROTOCOL, NULL),
      RAW("a group", "\x0a\x04\x12\x02\x0b\x0c", PUBSUB_E_PROTOCOL, NULL),
      RAW("field number zero", "\x02\x00", PUBSUB_E_PROTOCOL, NULL),
      RAW("an endless varint", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", PUBSUB_E_PROTOCOL,
          NULL),
      RAW("cut after the tag", "\x0a", PUBSUB_E_PROTOCOL, NULL),
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct pubsub_view view = pubsub_view_of(cases[i].bytes, cases[i].len);
    for (size_t piece = 0; piece < 3; piece++) {
      struct log log;
      enum pubsub_status status = decode(view, 0, 0, piece, &log);
      if (status != cases[i].status) fail_msg("%s: status %d", cases[i].name, status);
      if (cases[i].data) {
        size_t skip = log.text.len; /* find the data: the third value */
        uint8_t *ptr = log.text.ptr;
        for (int field = 0; field < 2; field++) {
          memcpy(&skip, ptr, sizeof skip);
          ptr += sizeof skip + skip;
        }
        memcpy(&skip, ptr, sizeof skip);
        assert_int_equal(skip, strlen(cases[i].data));
        assert_memory_equal(ptr + sizeof skip, cases[i].data, skip);
      }
      pubsub_buf_clear(&log.text);
    }
  }
}

static void of_duplicate_attributes_the_last(void **state) {
  struct pubsub_buf message = {0}, response = {0};
  struct log log;
  (void)state;
  for (int i = 0; i < 40; i++) { /* beyond what is compared pairwise */
    char entry[] = "\x12\x06\x0a\x01"
                   "k"
                   "\x12\x01"
                   "v";
    entry[4] = (char)('a' + i % 20);
    entry[7] = (char)('A' + i);
    pubsub_buf_append(&message, entry, 8);
  }
  uint8_t head[] = {0x0a, 0, 0, 0x12, 0, 0};
  size_t len = message.len;
  head[4] = (uint8_t)(len | 0x80);
  head[5] = (uint8_t)(len >> 7);
  head[1] = (uint8_t)((len + 3) | 0x80);
  head[2] = (uint8_t)((len + 3) >> 7);
  pubsub_buf_append(&response, head, 6);
  pubsub_buf_append(&response, message.ptr, message.len);
  for (size_t piece = 0; piece < 2; piece++) {
    assert_int_equal(decode(pubsub_view_of(response.ptr, response.len), 0, 0, piece, &log),
                     PUBSUB_OK);
    /* four empty fields, 20 attributes of one byte each, the time, the attempt */
    assert_int_equal(log.text.len, 4 * 8 + 20 * 2 * 9 + 16 + 12);
    assert_int_equal(log.text.ptr[4 * 8 + 8], 'a');
    assert_int_equal(log.text.ptr[4 * 8 + 9 + 8], 'A' + 20);
    pubsub_buf_clear(&log.text);
  }
  pubsub_buf_clear(&message);
  pubsub_buf_clear(&response);
}

static void on_properties(void *user, const struct pubsub_subscription_properties *properties) {
  *(struct pubsub_subscription_properties *)user = *properties;
}

/* Fields of a later version, of every wire type, stand around the two that are known. */
static void properties_among_unknown_fields(void **state) {
  static const struct pubsub_pull_sink properties_sink = {
      .on_message = on_message, .reserve_data = reserve_data, .on_properties = on_properties};
  static const uint8_t response[] = {0x22, 23,   0x1a, 1, 'x', 0x21, 1, 2, 3,  4, 5,  6, 7,
                                     8,    0x2d, 1,    2, 3,   4,    8, 1, 48, 1, 16, 1};
  struct pubsub_subscription_properties told = {0};
  struct pubsub_pull_decoder *decoder;
  (void)state;
  assert_int_equal(pubsub_pull_decoder_new(&properties_sink, &told, 1000, &decoder), PUBSUB_OK);
  assert_int_equal(pubsub_pull_decoder_begin(decoder, sizeof response, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_pull_decoder_feed(decoder, response, sizeof response, NULL), PUBSUB_OK);
  assert_int_equal(pubsub_pull_decoder_end(decoder, NULL), PUBSUB_OK);
  assert_true(told.exactly_once && told.ordering);
  pubsub_pull_decoder_destroy(decoder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(agrees_with_the_generated_code, no_leaks),
      cmocka_unit_test_teardown(every_two_way_split, no_leaks),
      cmocka_unit_test_teardown(hostile_bytes, no_leaks),
      cmocka_unit_test_teardown(single_cases, no_leaks),
      cmocka_unit_test_teardown(of_duplicate_attributes_the_last, no_leaks),
      cmocka_unit_test_teardown(properties_among_unknown_fields, no_leaks)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
