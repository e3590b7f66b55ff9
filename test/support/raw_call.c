#include "raw_call.h"

#include <arpa/inet.h>
#include <nghttp2/nghttp2.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct call {
  int fd;
  SSL *ssl;               /* NULL: plaintext */
  const uint8_t *request; /* framed */
  size_t len, sent;
  bool ended;
  size_t skipped; /* bytes of the answer's frame header */
  struct raw_answer *out;
};

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *out, size_t capacity,
                            uint32_t *flags, nghttp2_data_source *source, void *user) {
  struct call *call = source->ptr;
  size_t left = call->len - call->sent, part = left < capacity ? left : capacity;
  (void)session;
  (void)stream;
  (void)user;
  memcpy(out, call->request + call->sent, part);
  call->sent += part;
  if (call->sent == call->len) *flags |= NGHTTP2_DATA_FLAG_EOF;
  return (ssize_t)part;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user) {
  struct call *call = user;
  (void)session;
  (void)frame;
  (void)flags;
  (void)value_len;
  if (name_len == 11 && memcmp(name, "grpc-status", 11) == 0)
    call->out->status = atoi((const char *)value);
  return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                   size_t len, void *user) {
  struct call *call = user;
  struct raw_answer *out = call->out;
  (void)session;
  (void)flags;
  (void)stream;
  for (size_t i = 0; i < len; i++) {
    if (call->skipped < 5) {
      call->skipped++;
    } else if (out->len < sizeof out->message - 1) {
      out->message[out->len++] = bytes[i];
    }
  }
  return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *user) {
  (void)session;
  (void)stream;
  (void)code;
  ((struct call *)user)->ended = true;
  return 0;
}

static bool put(struct call *call, const uint8_t *bytes, ssize_t len) {
  if (call->ssl) return SSL_write(call->ssl, bytes, (int)len) == (int)len;
  return send(call->fd, bytes, (size_t)len, MSG_NOSIGNAL) == len;
}

static bool flush(nghttp2_session *session, struct call *call) {
  const uint8_t *bytes;
  ssize_t len;
  while ((len = nghttp2_session_mem_send(session, &bytes)) > 0) {
    if (!put(call, bytes, len)) return false;
  }
  return len == 0;
}

static ssize_t get(struct call *call, uint8_t *out, size_t capacity) {
  if (call->ssl) return SSL_read(call->ssl, out, (int)capacity);
  return read(call->fd, out, capacity);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void converse(nghttp2_session *session, struct call *call, int timeout_ms) {
  int64_t deadline = now_ms() + timeout_ms;
  uint8_t buffer[16384];
  while (!call->ended && flush(session, call)) {
    struct pollfd pollfd = {.fd = call->fd, .events = POLLIN};
    int64_t left = deadline - now_ms();
    bool buffered = call->ssl && SSL_pending(call->ssl) > 0;
    if (left <= 0 || (!buffered && poll(&pollfd, 1, (int)left) == 0)) {
      call->out->status = RAW_TIMEOUT;
      return;
    }
    ssize_t got = get(call, buffer, sizeof buffer);
    if (got <= 0 || nghttp2_session_mem_recv(session, buffer, (size_t)got) < 0) return;
  }
}

static int dial(const char *endpoint) {
  struct sockaddr_in name = {.sin_family = AF_INET};
  const char *colon = strrchr(endpoint, ':');
  name.sin_port = htons((uint16_t)atoi(colon + 1));
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&name, sizeof name) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

#define HEADER(key, text)                                                                          \
  { (uint8_t *)(uintptr_t)(key), (uint8_t *)(uintptr_t)(text), strlen(key), strlen(text), 0 }

static void submit(nghttp2_session *session, const char *path, struct call *call) {
  nghttp2_nv headers[] = {HEADER(":method", "POST"), HEADER(":scheme", "http"),
                          HEADER(":path", path),     HEADER(":authority", "torture"),
                          HEADER("te", "trailers"),  HEADER("content-type", "application/grpc")};
  nghttp2_data_provider body = {.source.ptr = call, .read_callback = read_request};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0);
  nghttp2_submit_request(session, NULL, headers, sizeof headers / sizeof *headers, &body, NULL);
}

static void speak(const char *path, struct call *call, int timeout_ms) {
  nghttp2_session_callbacks *callbacks;
  nghttp2_session *session;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
  nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
  nghttp2_session_client_new(&session, callbacks, call);
  nghttp2_session_callbacks_del(callbacks);
  submit(session, path, call);
  converse(session, call, timeout_ms);
  nghttp2_session_del(session);
}

static void speak_tls(const char *path, struct call *call, int timeout_ms) {
  static const uint8_t h2[] = "\x02h2";
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  struct timeval timeout = {.tv_sec = timeout_ms / 1000 + 1};
  SSL_CTX_set_alpn_protos(context, h2, 3);
  call->ssl = SSL_new(context);
  SSL_set_fd(call->ssl, call->fd);
  setsockopt(call->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  if (SSL_connect(call->ssl) == 1) speak(path, call, timeout_ms);
  SSL_free(call->ssl);
  SSL_CTX_free(context);
}

static void run(struct raw_peer peer, const char *path, struct call *call, int timeout_ms) {
  call->fd = dial(peer.endpoint);
  if (call->fd < 0) return;
  if (peer.tls) {
    speak_tls(path, call, timeout_ms);
  } else {
    speak(path, call, timeout_ms);
  }
  close(call->fd);
}

void raw_call(struct raw_peer peer, const char *path, const uint8_t *request, size_t len,
              int timeout_ms, struct raw_answer *out) {
  uint8_t *framed = malloc(len + 5);
  struct call call = {.request = framed, .len = len + 5, .out = out};
  out->status = RAW_LOST;
  out->len = 0;
  framed[0] = 0;
  for (int i = 0; i < 4; i++)
    framed[1 + i] = (uint8_t)(len >> (24 - 8 * i));
  if (len) memcpy(framed + 5, request, len);
  run(peer, path, &call, timeout_ms);
  free(framed);
}

/* google.protobuf.StringValue: field 1, a string. */
void raw_command(struct raw_peer peer, const char *command, int timeout_ms,
                 struct raw_answer *out) {
  size_t len = strlen(command);
  uint8_t request[256] = {0x0a, (uint8_t)len};
  memcpy(request + 2, command, len); /* commands here are shorter than 128 */
  raw_call(peer, "/pubsub.emulator.v1.Control/Command", request, len + 2, timeout_ms, out);
  size_t skip = out->len < 2 ? out->len : out->message[1] < 128 ? 2 : 3;
  out->len -= skip;
  memmove(out->message, out->message + skip, out->len);
  out->message[out->len] = '\0';
}
