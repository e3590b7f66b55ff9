#include "support.h"

#include "http/exchange.h"

static int responses, closings;

static void on_respond(struct exchange *exchange, struct http_response *take_response) {
  (void)exchange;
  responses = take_response->status;
  pubsub_buf_clear(&take_response->body);
}

static void on_closed(struct exchange *exchange) {
  (void)exchange;
  closings++;
}

static const struct exchange_ops ops = {.respond = on_respond};

static void fields_are_kept_by_name(void **state) {
  struct http_request request = {0};
  (void)state;
  assert_int_equal(http_field_named(pubsub_view_str("x-other")), HTTP_FIELDS);
  assert_int_equal(http_field_named(pubsub_view_str(":authority")), HTTP_HOST);
  assert_true(http_field_set(&request, HTTP_HOST, pubsub_view_str("lo")));
  assert_true(http_field_extend(&request, HTTP_HOST, pubsub_view_str("cal")));
  assert_true(http_field_set(&request, HTTP_ORIGIN, pubsub_view_str("")));
  assert_true(http_field_is(&request, HTTP_HOST, "local"));
  assert_int_equal(request.fields[HTTP_ORIGIN].times, 1);
  assert_int_equal(http_field(&request, HTTP_ORIGIN).len, 0);
  pubsub_buf_clear(&request.text);
}

static void one_answer(void **state) {
  struct site site;
  (void)state;
  site_init(&site);
  struct exchange exchange = {.ops = &ops, .site = &site, .on_closed = on_closed};
  exchange_respond_text(&exchange, 200, "first");
  exchange_respond_text(&exchange, 500, "second");
  assert_int_equal(responses, 200);
  exchange_end(&exchange);
  assert_int_equal(closings, 0);
}

static void who_waits_is_told_of_the_end(void **state) {
  struct site site;
  (void)state;
  site_init(&site);
  struct exchange exchange = {.ops = &ops, .site = &site, .on_closed = on_closed};
  closings = 0;
  exchange_end(&exchange);
  exchange_end(&exchange);
  assert_int_equal(closings, 1);
}

static void bodies_are_bounded(void **state) {
  static uint8_t piece[1 << 20];
  struct site site;
  (void)state;
  site_init(&site);
  struct exchange exchange = {.ops = &ops, .site = &site};
  for (int i = 0; i < 20; i++)
    assert_int_equal(exchange_body_append(&exchange, piece, sizeof piece), 0);
  assert_int_equal(exchange_body_append(&exchange, piece, 1), 413);
  assert_int_equal(site.held_bytes, HTTP_MAX_BODY_BYTES);
  site.held_bytes = HTTP_MAX_HELD_BYTES;
  struct exchange other = {.ops = &ops, .site = &site};
  assert_int_equal(exchange_body_append(&other, piece, 1), 503);
  site.held_bytes = HTTP_MAX_BODY_BYTES;
  exchange_end(&exchange);
  assert_int_equal(site.held_bytes, 0);
}

static void texts(void **state) {
  (void)state;
  struct http_response response = http_text(404, "gone");
  assert_int_equal(response.status, 404);
  assert_int_equal(response.body.len, 5);
  assert_memory_equal(response.body.ptr, "gone\n", 5);
  pubsub_buf_clear(&response.body);
  assert_string_equal(http_reason(431), "Request Header Fields Too Large");
  assert_string_equal(http_reason(299), "Unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(fields_are_kept_by_name),
                                     cmocka_unit_test(one_answer),
                                     cmocka_unit_test(who_waits_is_told_of_the_end),
                                     cmocka_unit_test(bodies_are_bounded), cmocka_unit_test(texts)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
