#include "support.h"

#include "auth/http_answer.h"
#include "base/alloc.h"
#include "base/rng.h"
#include <stdlib.h>

static struct pubsub_http_answer answer;

/* In pieces of so many bytes; the last status. */
static enum pubsub_status feed(const char *text, size_t len, size_t piece) {
  enum pubsub_status status = PUBSUB_OK;
  pubsub_http_answer_clear(&answer);
  memset(&answer, 0, sizeof answer);
  for (size_t at = 0; at < len && status == PUBSUB_OK; at += piece) {
    size_t some = len - at < piece ? len - at : piece;
    status = pubsub_http_answer_feed(&answer, pubsub_view_of(text + at, some), NULL);
  }
  return status;
}

static int tear_down(void **state) {
  pubsub_http_answer_clear(&answer);
  memset(&answer, 0, sizeof answer);
  return no_leaks(state);
}

static void check(const char *text, int status, const char *body, bool ends_with_connection) {
  for (size_t piece = 1; piece <= strlen(text); piece++) {
    assert_int_equal(feed(text, strlen(text), piece), PUBSUB_OK);
    assert_int_equal(answer.stage == PUBSUB_HTTP_DONE, !ends_with_connection);
    assert_int_equal(pubsub_http_answer_end(&answer, NULL), PUBSUB_OK);
    assert_int_equal(answer.status, status);
    assert_int_equal(answer.body.len, strlen(body));
    if (body[0]) assert_memory_equal(answer.body.ptr, body, strlen(body));
  }
}

static void bodies_of_every_kind_in_any_pieces(void **state) {
  (void)state;
  check("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello", 200, "hello", false);
  check("HTTP/1.1 400 Bad Request\r\ncontent-length:0\r\n\r\n", 400, "", false);
  check("HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, "until the end", true);
  check("HTTP/1.1 204 No Content\r\n\r\n", 204, "", false);
  check("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, "hi", false);
  check("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi",
        false);
  check("HTTP/1.1 200 OK\r\nTransfer-Encoding: "
        "chunked\r\n\r\n5\r\nhello\r\n0A;x=y\r\n0123456789\r\n0\r\n"
        "Trailer: z\r\n\r\n",
        200, "hello0123456789", false);
}

static void refused(const char *text) {
  assert_int_equal(feed(text, strlen(text), strlen(text)), PUBSUB_E_PROTOCOL);
}

static void what_is_no_answer(void **state) {
  (void)state;
  refused("SSH-2.0-OpenSSH_9.2\r\n");
  refused("HTTP/2 200\r\n");
  refused("HTTP/1.1 20\r\n");
  refused("HTTP/1.1 700 Far\r\n");
  refused("HTTP/1.1 200 OK\r\nno header\r\n");
  refused("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n");
  refused("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n");
  refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n");
  refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
  refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n");
  refused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n");
}

static void what_is_too_large(void **state) {
  size_t bytes = 2 * PUBSUB_HTTP_MAX_BODY_BYTES;
  char *text = malloc(bytes + 1);
  (void)state;
  memset(text, 'x', bytes);
  text[bytes] = '\0';
  memcpy(text, "HTTP/1.1 200 OK\r\n\r\n", 19);
  refused(text);
  memset(text, 'x', 20); /* one endless line */
  memcpy(text, "HTTP/1.1 200 ", 13);
  refused(text);
  for (size_t i = 0; i + 4 <= bytes; i += 4) /* endless headers */
    memcpy(text + i, "a:\r\n", 4);
  memcpy(text, "HTTP/1.1 200 OK\r\n  :", 20);
  refused(text);
  free(text);
}

static void an_end_in_the_middle(void **state) {
  static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  (void)state;
  for (size_t len = 0; len < sizeof text - 1; len++) {
    assert_int_equal(feed(text, len, len + 1), PUBSUB_OK);
    assert_int_equal(pubsub_http_answer_end(&answer, NULL), PUBSUB_E_PROTOCOL);
  }
}

static void bytes_that_are_wrong(void **state) {
  static const char text[] =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n";
  struct pubsub_rng rng;
  (void)state;
  pubsub_rng_seed(&rng, 9);
  for (int turn = 0; turn < 20000; turn++) {
    char copy[sizeof text];
    memcpy(copy, text, sizeof text);
    for (int flips = 0; flips < 2; flips++)
      copy[pubsub_rng_below(&rng, sizeof text - 1)] ^= (char)(1 << pubsub_rng_below(&rng, 8));
    feed(copy, sizeof text - 1, 1 + pubsub_rng_below(&rng, 30));
    assert_true(answer.body.len <= sizeof text);
  }
}

static void without_memory(void **state) {
  static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
  (void)state;
  for (uint64_t nth = 1; nth <= 2; nth++) {
    pubsub_alloc_fail_after(nth);
    assert_int_equal(feed(text, sizeof text - 1, sizeof text), PUBSUB_E_NOMEM);
  }
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(bodies_of_every_kind_in_any_pieces),
                                     TEST(what_is_no_answer),
                                     TEST(what_is_too_large),
                                     TEST(an_end_in_the_middle),
                                     TEST(bytes_that_are_wrong),
                                     TEST(without_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
