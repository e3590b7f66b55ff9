/* libpubsub-emulator: started, asked, commanded and stopped inside a program. */
#include "support.h"

#include <pubsub/emulator.h>
#include <pubsub/pubsub.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOPIC "projects/p/topics/topic1"

/* A configuration with one topic and subscription. */
static void write_config(char path[64]) {
  snprintf(path, 64, "/tmp/emulator_library.XXXXXX");
  int fd = mkstemp(path);
  static const char text[] =
      "{\"topics\": [{\"name\": \"" TOPIC "\"}], \"subscriptions\": [{\"name\": "
      "\"projects/p/subscriptions/sub1\", \"topic\": \"" TOPIC "\"}]}";
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), strlen(text));
  close(fd);
}

static void publish_to(uint16_t port) {
  char endpoint[40];
  struct pubsub_client *client = NULL;
  struct pubsub_publisher *publisher = NULL;
  struct pubsub_error error = {0};
  snprintf(endpoint, sizeof endpoint, "127.0.0.1:%u", port);
  struct pubsub_client_options where = {.endpoint = endpoint, .plaintext = true};
  struct pubsub_publisher_options what = {.topic = TOPIC};
  struct pubsub_message message = {.data = {(const uint8_t *)"hello", 5}};
  assert_int_equal(pubsub_client_new(&where, &client, &error), PUBSUB_OK);
  assert_int_equal(pubsub_publisher_new(client, &what, &publisher, &error), PUBSUB_OK);
  assert_int_equal(pubsub_publisher_publish(publisher, &message, 1, &error), PUBSUB_OK);
  assert_int_equal(pubsub_publisher_flush(publisher, 30000, &error), PUBSUB_OK);
  pubsub_publisher_destroy(publisher);
  pubsub_client_destroy(client);
}

static void it_answers_and_is_commanded(void **state) {
  char config[64], answer[500];
  struct pubsub_emulator *emulator = NULL;
  struct pubsub_error error = {0};
  (void)state;
  write_config(config);
  struct pubsub_emulator_options options = {.config = config};
  assert_int_equal(pubsub_emulator_start(&options, &emulator, &error), PUBSUB_OK);
  assert_true(pubsub_emulator_port(emulator) > 0);
  publish_to(pubsub_emulator_port(emulator));
  assert_int_equal(pubsub_emulator_control(emulator, "stats", answer, sizeof answer, &error),
                   PUBSUB_OK);
  assert_non_null(strstr(answer, "projects/p/subscriptions/sub1 backlog=1 "));
  assert_int_equal(pubsub_emulator_control(emulator, "stats", answer, 9, &error), PUBSUB_OK);
  assert_string_equal(answer, "projects");
  assert_int_equal(pubsub_emulator_control(emulator, "nonsense", NULL, 0, &error),
                   PUBSUB_E_INVALID);
  assert_non_null(strstr(error.text, "'nonsense' is not a command"));
  pubsub_emulator_stop(emulator);
  pubsub_emulator_stop(NULL);
  unlink(config);
}

static int listening(uint16_t *port) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof name;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&name, len), 0);
  assert_int_equal(listen(fd, 10), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
  *port = ntohs(name.sin_port);
  return fd;
}

static void on_a_socket_of_the_callers(void **state) {
  char config[64];
  struct pubsub_emulator *emulator = NULL;
  struct pubsub_error error = {0};
  uint16_t port;
  (void)state;
  write_config(config);
  struct pubsub_emulator_options options = {.config = config, .listen_fd = listening(&port)};
  assert_int_equal(pubsub_emulator_start(&options, &emulator, &error), PUBSUB_OK);
  close(options.listen_fd);
  assert_int_equal(pubsub_emulator_port(emulator), port);
  publish_to(port);
  pubsub_emulator_stop(emulator);
  unlink(config);
}

static void what_cannot_start_says_why(void **state) {
  struct pubsub_emulator *emulator = NULL;
  struct pubsub_error error = {0};
  struct pubsub_emulator_options none = {.config = "/no/such/file"};
  struct pubsub_emulator_options closed = {.listen_fd = 12345};
  struct pubsub_emulator_options nowhere = {.address = "no address"};
  (void)state;
  assert_int_equal(pubsub_emulator_start(&none, &emulator, &error), PUBSUB_E_IO);
  assert_non_null(strstr(error.text, "/no/such/file"));
  assert_int_equal(pubsub_emulator_start(&closed, &emulator, &error), PUBSUB_E_INVALID);
  assert_int_equal(pubsub_emulator_start(&nowhere, &emulator, &error), PUBSUB_E_INVALID);
  assert_null(emulator);
}

static void several_at_once(void **state) {
  struct pubsub_emulator *all[4];
  struct pubsub_error error = {0};
  (void)state;
  for (int i = 0; i < 4; i++) {
    struct pubsub_emulator_options options = {0};
    assert_int_equal(pubsub_emulator_start(&options, &all[i], &error), PUBSUB_OK);
  }
  for (int i = 0; i < 4; i++)
    pubsub_emulator_stop(all[i]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(it_answers_and_is_commanded, no_leaks),
      cmocka_unit_test_teardown(on_a_socket_of_the_callers, no_leaks),
      cmocka_unit_test_teardown(what_cannot_start_says_why, no_leaks),
      cmocka_unit_test_teardown(several_at_once, no_leaks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
