#include "world.h"

#include "proxy.h"
#include "server.h"

#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct world_files world_files;

/* For this process the system's roots are one, in a folder; there is no file. */
static bool make_system_roots(struct world_files *files) {
  FILE *file = fopen(files->certificate, "r");
  X509 *certificate = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
  if (file) fclose(file);
  if (!certificate) return false;
  snprintf(files->root, sizeof files->root, "%.60s/%08lx.0", files->folder,
           X509_subject_name_hash(certificate));
  X509_free(certificate);
  return symlink(files->certificate, files->root) == 0 &&
         setenv("SSL_CERT_DIR", files->folder, 1) == 0 &&
         setenv("SSL_CERT_FILE", "/nonexistent", 1) == 0;
}

bool world_prepare(void) {
  struct world_files *files = &world_files;
  char command[600];
  snprintf(files->folder, sizeof files->folder, "/tmp/torture-XXXXXX");
  if (!mkdtemp(files->folder)) return false;
  snprintf(files->certificate, sizeof files->certificate, "%.60s/cert.pem", files->folder);
  snprintf(files->key, sizeof files->key, "%.60s/key.pem", files->folder);
  snprintf(files->token, sizeof files->token, "%.60s/token", files->folder);
  FILE *token = fopen(files->token, "w");
  if (!token) return false;
  fputs(TOKEN "\n", token);
  fclose(token);
  snprintf(command, sizeof command,
           "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
           "-subj /CN=torture -addext subjectAltName=IP:127.0.0.1,DNS:emulator.example "
           "-out %.90s -keyout %.90s 2>/dev/null",
           files->certificate, files->key);
  return system(command) == 0 && make_system_roots(files);
}

void world_tidy(void) {
  unlink(world_files.root);
  unlink(world_files.certificate);
  unlink(world_files.key);
  unlink(world_files.token);
  rmdir(world_files.folder);
}

uint64_t world_now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- the emulator ---- */

static enum pubsub_status serve(struct world *world, uint16_t port, struct pubsub_error *error) {
  struct server_options options = {.address = "127.0.0.1", .port = port, .seed = 1};
  if (world->options.tls) {
    options.tls_certificate = world_files.certificate;
    options.tls_key = world_files.key;
  }
  if (world->options.token) options.require_token = world_files.token;
  enum pubsub_status status = pubsub_loop_new(&world->loop, error);
  if (status == PUBSUB_OK) status = server_new(world->loop, &options, &world->server, error);
  if (status == PUBSUB_OK)
    status = server_add_subscription(world->server, SUBSCRIPTION "=" TOPIC, error);
  if (status == PUBSUB_OK) status = pubsub_loop_start_thread(world->loop, "emulator", error);
  return status;
}

enum pubsub_status world_start_server(struct world *world, uint16_t port,
                                      struct pubsub_error *error) {
  enum side side = side_enter(SIDE_SERVER);
  enum pubsub_status status = serve(world, port, error);
  if (status == PUBSUB_OK) {
    snprintf(world->endpoint, sizeof world->endpoint, "127.0.0.1:%u", server_port(world->server));
  } else {
    world_stop_server(world);
  }
  side_enter(side);
  return status;
}

void world_stop_server(struct world *world) {
  enum side side = side_enter(SIDE_SERVER);
  if (world->loop) pubsub_loop_join(world->loop);
  if (world->server) server_destroy(world->server);
  if (world->loop) pubsub_loop_destroy(world->loop);
  world->server = NULL;
  world->loop = NULL;
  side_enter(side);
}

uint16_t world_port(const struct world *world) {
  return server_port(world->server);
}

enum pubsub_status world_start_proxy(struct world *world) {
  uint16_t port;
  world->proxy = proxy_new(world_port(world), &port);
  if (!world->proxy) return PUBSUB_E_IO;
  snprintf(world->proxy_url, sizeof world->proxy_url, "http://user:password@127.0.0.1:%u", port);
  return PUBSUB_OK;
}

void world_stop_proxy(struct world *world) {
  proxy_destroy(world->proxy);
  world->proxy = NULL;
}

enum pubsub_status world_connect(const struct world *world, struct pubsub_client **out,
                                 struct pubsub_error *error) {
  struct pubsub_client_options options = {.endpoint = world->endpoint,
                                          .plaintext = !world->options.tls,
                                          .user_agent = "torture/1",
                                          .quota_project = "quota",
                                          .connect_timeout_ms = 2000,
                                          .keepalive_ms = 2000,
                                          .proxy = world->proxy ? world->proxy_url : ""};
  if (world->options.tls && !world->options.system_roots) options.ca_file = world_files.certificate;
  enum pubsub_status status = pubsub_client_new(&options, out, error);
  if (status == PUBSUB_OK && world->options.tls)
    status = pubsub_client_set_token(*out, TOKEN, strlen(TOKEN), error);
  return status;
}

void world_call(const struct world *world, const char *path, const uint8_t *request, size_t len,
                int timeout_ms, struct raw_answer *out) {
  enum side side = side_enter(SIDE_NONE);
  raw_call((struct raw_peer){world->endpoint, world->options.tls}, path, request, len, timeout_ms,
           out);
  side_enter(side);
}

void world_command(const struct world *world, const char *text, int timeout_ms,
                   struct raw_answer *out) {
  enum side side = side_enter(SIDE_NONE);
  raw_command((struct raw_peer){world->endpoint, world->options.tls}, text, timeout_ms, out);
  side_enter(side);
}

/* ---- judging ---- */

void complain(struct world *world, const char *format, ...) {
  char text[600];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  fprintf(stderr, "    complaint: %s\n", text);
  world->complaints++;
}

bool worked(struct world *world, enum pubsub_status status, const struct pubsub_error *error,
            const char *what) {
  if (status == PUBSUB_OK) return true;
  if (error->status != status)
    complain(world, "%s: returned %s, its error says %s", what, pubsub_status_name(status),
             pubsub_status_name(error->status));
  if (!error->text[0] || strchr(error->text, '\n') || strstr(error->text, "(null)"))
    complain(world, "%s: %s without words: '%s'", what, pubsub_status_name(status), error->text);
  if (strstr(error->text, TOKEN) || strstr(error->text, "password"))
    complain(world, "%s: a secret in '%s'", what, error->text);
  return false;
}

void must_work(struct world *world, enum pubsub_status status, const struct pubsub_error *error,
               const char *what) {
  if (!worked(world, status, error, what))
    complain(world, "%s: %s: %s", what, pubsub_status_name(status), error->text);
}
