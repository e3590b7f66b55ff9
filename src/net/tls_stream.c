#include "net/tls_inside.h"

#include "base/alloc.h"
#include "base/container.h"
#include "base/error.h"
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define RECORD_BYTES 16384
#define INPUT_BYTES 65536

struct tls_stream {
  struct pubsub_bytestream base;
  struct pubsub_bytestream *lower;
  SSL *ssl;
  unsigned interest; /* of our owner */
  bool handshaking, lower_full, lower_ended;
  bool http1;                      /* as the context has it */
  bool failed_here;                /* and told the peer so */
  struct pubsub_error lower_error; /* status set once the lower stream failed */
  uint8_t *input;                  /* INPUT_BYTES, what was read ahead of OpenSSL's records */
  size_t input_start, input_len;
  uint8_t *pending; /* RECORD_BYTES: accepted from our owner, not yet by OpenSSL */
  size_t pending_len;
};

/* ---- what OpenSSL sees as its transport ---- */

static int bio_read(BIO *bio, char *out, int capacity) {
  struct tls_stream *self = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (capacity <= 0) return 0;
  if (self->input_len == 0) {
    ssize_t got = self->lower->ops->read(self->lower, self->input, INPUT_BYTES, &self->lower_error);
    if (got == PUBSUB_BYTESTREAM_AGAIN) {
      BIO_set_retry_read(bio);
      return -1;
    }
    if (got <= 0) {
      self->lower_ended = got == PUBSUB_BYTESTREAM_EOF;
      return got == PUBSUB_BYTESTREAM_EOF ? 0 : -1;
    }
    self->input_start = 0;
    self->input_len = (size_t)got;
  }
  size_t len = self->input_len < (size_t)capacity ? self->input_len : (size_t)capacity;
  memcpy(out, self->input + self->input_start, len);
  self->input_start += len;
  self->input_len -= len;
  return (int)len;
}

static int bio_write(BIO *bio, const char *in, int len) {
  struct tls_stream *self = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (len <= 0) return 0;
  struct iovec part = {(void *)(uintptr_t)in, (size_t)len};
  ssize_t put = self->lower->ops->writev(self->lower, &part, 1, &self->lower_error);
  if (put == PUBSUB_BYTESTREAM_AGAIN) {
    self->lower_full = true;
    BIO_set_retry_write(bio);
  }
  return put > 0 ? (int)put : -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *ptr) {
  (void)bio;
  (void)number;
  (void)ptr;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *pubsub_tls_bio_method_new(void) {
  BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "bytestream");
  if (!method) return NULL;
  BIO_meth_set_read(method, bio_read);
  BIO_meth_set_write(method, bio_write);
  BIO_meth_set_ctrl(method, bio_ctrl);
  return method;
}

/* RFC 8446, 6.2: an internal error is one "unrelated to the peer". */
static void on_alert(const SSL *ssl, int where, int value) {
  struct tls_stream *self = BIO_get_data(SSL_get_rbio(ssl));
  if (where == SSL_CB_WRITE_ALERT && (value & 0xff) == SSL_AD_INTERNAL_ERROR) {
    self->failed_here = true;
  }
}

/* ---- events ---- */

static void update_interest(struct tls_stream *self) {
  unsigned interest = self->handshaking ? PUBSUB_IO_READ : self->interest;
  if (self->lower_full) {
    interest |= PUBSUB_IO_WRITE;
  } else if (self->handshaking) {
    interest &= ~(unsigned)PUBSUB_IO_WRITE;
  }
  self->lower->ops->set_interest(self->lower, interest);
}

/* Hands `pending` to OpenSSL. 1: nothing is pending any more. */
static int flush_pending(struct tls_stream *self, struct pubsub_error *error) {
  while (self->pending_len > 0) {
    ERR_clear_error();
    int put = SSL_write(self->ssl, self->pending, (int)self->pending_len);
    if (put > 0) {
      memmove(self->pending, self->pending + put, self->pending_len - (size_t)put);
      self->pending_len -= (size_t)put;
      continue;
    }
    int why = SSL_get_error(self->ssl, put);
    if (why == SSL_ERROR_WANT_WRITE || why == SSL_ERROR_WANT_READ) return PUBSUB_BYTESTREAM_AGAIN;
    if (self->lower_error.status != PUBSUB_OK) {
      if (error) *error = self->lower_error;
    } else {
      pubsub_error_set(error, PUBSUB_E_IO, "connection lost: TLS failed while sending");
    }
    return PUBSUB_BYTESTREAM_ERROR;
  }
  return 1;
}

static void on_lower_event(void *user, unsigned events) {
  struct tls_stream *self = user;
  if (events & PUBSUB_IO_WRITE) self->lower_full = false;
  if (!self->handshaking && self->pending_len > 0) {
    flush_pending(self, NULL); /* an error shows again in the owner's next call */
    update_interest(self);
    if (self->pending_len > 0) events &= ~(unsigned)PUBSUB_IO_WRITE;
  }
  if (events && self->base.on_event) self->base.on_event(self->base.user, events);
}

/* ---- the stream ---- */

static ssize_t tls_read(struct pubsub_bytestream *stream, uint8_t *out, size_t capacity,
                        struct pubsub_error *error) {
  struct tls_stream *self = PUBSUB_CONTAINER_OF(stream, struct tls_stream, base);
  size_t filled = 0;
  while (filled < capacity) {
    ERR_clear_error();
    size_t room = capacity - filled;
    int got = SSL_read(self->ssl, out + filled, room > INT32_MAX ? INT32_MAX : (int)room);
    if (got > 0) {
      filled += (size_t)got;
      continue;
    }
    if (filled > 0) break; /* the same answer comes again next time */
    switch (SSL_get_error(self->ssl, got)) {
    case SSL_ERROR_WANT_READ:
      return PUBSUB_BYTESTREAM_AGAIN;
    case SSL_ERROR_WANT_WRITE:
      update_interest(self);
      return PUBSUB_BYTESTREAM_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
      return PUBSUB_BYTESTREAM_EOF;
    default:
      if (self->lower_ended) return PUBSUB_BYTESTREAM_EOF;
      if (self->lower_error.status != PUBSUB_OK) {
        if (error) *error = self->lower_error;
      } else {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());
        pubsub_error_set(error, PUBSUB_E_IO, "connection lost: TLS: %s",
                         reason ? reason : "unknown reason");
      }
      return PUBSUB_BYTESTREAM_ERROR;
    }
  }
  return (ssize_t)filled;
}

static ssize_t tls_writev(struct pubsub_bytestream *stream, const struct iovec *parts, int count,
                          struct pubsub_error *error) {
  struct tls_stream *self = PUBSUB_CONTAINER_OF(stream, struct tls_stream, base);
  size_t taken = 0;
  for (int i = 0; i < count; i++) {
    size_t at = 0;
    while (at < parts[i].iov_len) {
      if (self->pending_len == RECORD_BYTES) {
        int flushed = flush_pending(self, error);
        if (flushed == PUBSUB_BYTESTREAM_ERROR) return PUBSUB_BYTESTREAM_ERROR;
        if (self->pending_len == RECORD_BYTES) goto full;
      }
      size_t len = parts[i].iov_len - at;
      if (len > RECORD_BYTES - self->pending_len) len = RECORD_BYTES - self->pending_len;
      memcpy(self->pending + self->pending_len, (const uint8_t *)parts[i].iov_base + at, len);
      self->pending_len += len;
      at += len;
      taken += len;
    }
  }
  if (flush_pending(self, error) == PUBSUB_BYTESTREAM_ERROR) return PUBSUB_BYTESTREAM_ERROR;
full:
  update_interest(self);
  return taken > 0 ? (ssize_t)taken : PUBSUB_BYTESTREAM_AGAIN;
}

static void tls_set_interest(struct pubsub_bytestream *stream, unsigned interest) {
  struct tls_stream *self = PUBSUB_CONTAINER_OF(stream, struct tls_stream, base);
  self->interest = interest;
  update_interest(self);
}

static void tls_shutdown(struct pubsub_bytestream *stream) {
  struct tls_stream *self = PUBSUB_CONTAINER_OF(stream, struct tls_stream, base);
  if (!self->handshaking && self->lower_error.status == PUBSUB_OK) SSL_shutdown(self->ssl);
  self->lower->ops->shutdown(self->lower);
}

static void tls_destroy(struct pubsub_bytestream *stream) {
  struct tls_stream *self = PUBSUB_CONTAINER_OF(stream, struct tls_stream, base);
  SSL_free(self->ssl);
  self->lower->ops->destroy(self->lower);
  pubsub_free(self->input);
  pubsub_free(self->pending);
  pubsub_free(self);
}

static const struct pubsub_bytestream_ops tls_ops = {tls_read, tls_writev, tls_set_interest,
                                                     tls_shutdown, tls_destroy};

/* Only subjectAltName counts (RFC 9525): a name in the subject never does. */
static bool set_peer_name(SSL *ssl, const char *host) {
  unsigned char address[16];
  X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                             X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1) {
    return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
  }
  return X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
         SSL_set_tlsext_host_name(ssl, host) == 1;
}

enum pubsub_status pubsub_tls_stream_new(struct pubsub_tls_context *context,
                                         struct pubsub_bytestream *take_lower, const char *host,
                                         struct pubsub_bytestream **out,
                                         struct pubsub_error *error) {
  struct tls_stream *self = pubsub_alloc_zero(1, sizeof *self);
  if (!self) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  self->base.ops = &tls_ops;
  self->handshaking = true;
  self->input = pubsub_alloc(INPUT_BYTES);
  self->pending = pubsub_alloc(RECORD_BYTES);
  self->http1 = context->http1;
  self->ssl = SSL_new(context->ssl);
  BIO *bio = BIO_new(context->bio);
  if (!self->input || !self->pending || !self->ssl || !bio ||
      (!context->server &&
       !(set_peer_name(self->ssl, host) && pubsub_tls_roots_lend(context, self->ssl)))) {
    BIO_free(bio);
    SSL_free(self->ssl);
    pubsub_free(self->input);
    pubsub_free(self->pending);
    pubsub_free(self);
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  }
  BIO_set_data(bio, self);
  BIO_set_init(bio, 1);
  SSL_set_bio(self->ssl, bio, bio);
  SSL_set_info_callback(self->ssl, on_alert);
  if (context->server) {
    SSL_set_accept_state(self->ssl);
  } else {
    SSL_set_connect_state(self->ssl);
  }
  self->lower = take_lower;
  self->lower->on_event = on_lower_event;
  self->lower->user = self;
  *out = &self->base;
  return PUBSUB_OK;
}

static void explain_failure(struct tls_stream *self, struct pubsub_error *error) {
  long verified = SSL_get_verify_result(self->ssl);
  unsigned long code = ERR_peek_last_error();
  const char *reason = code ? ERR_reason_error_string(code) : NULL;
  if (pubsub_tls_lacks_memory() || verified == X509_V_ERR_OUT_OF_MEM ||
      (verified != X509_V_OK && !pubsub_tls_chain_is_read(self->ssl))) {
    pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory during the TLS handshake");
  } else if (verified == X509_V_ERR_HOSTNAME_MISMATCH ||
             verified == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    pubsub_error_set(error, PUBSUB_E_TLS,
                     "the certificate is for another host (host name mismatch)");
  } else if (verified == X509_V_ERR_CERT_HAS_EXPIRED) {
    pubsub_error_set(error, PUBSUB_E_TLS, "the certificate has expired");
  } else if (verified != X509_V_OK) {
    pubsub_error_set(error, PUBSUB_E_TLS, "the certificate is not trusted: %s",
                     X509_verify_cert_error_string(verified));
  } else if (self->lower_error.status != PUBSUB_OK) {
    pubsub_error_set(error, PUBSUB_E_IO, "%s during the TLS handshake", self->lower_error.text);
  } else if (self->lower_ended) {
    pubsub_error_set(error, PUBSUB_E_IO, "the peer closed the connection during the TLS handshake");
  } else if (code && ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER) {
    pubsub_error_set(error, PUBSUB_E_TLS, "the peer does not speak TLS");
  } else if (ERR_GET_REASON(code) == SSL_R_TLSV1_ALERT_INTERNAL_ERROR) { /* RFC 8446, 6.2 */
    pubsub_error_set(error, PUBSUB_E_IO, "the peer failed during the TLS handshake: %s", reason);
  } else if (!reason || self->failed_here || ERR_GET_REASON(code) == ERR_R_EVP_LIB) {
    pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory, it seems, during the TLS handshake");
  } else if (ERR_GET_REASON(code) == SSL_R_BAD_SIGNATURE) { /* or no memory to check it */
    pubsub_error_set(error, PUBSUB_E_IO, "TLS handshake failed: %s", reason);
  } else {
    pubsub_error_set(error, PUBSUB_E_TLS, "TLS handshake failed: %s", reason);
  }
}

int pubsub_tls_stream_handshake(struct pubsub_bytestream *stream, struct pubsub_error *error) {
  struct tls_stream *self = PUBSUB_CONTAINER_OF(stream, struct tls_stream, base);
  ERR_clear_error();
  int done = SSL_do_handshake(self->ssl);
  if (done == 1) {
    const unsigned char *protocol;
    unsigned protocol_len;
    SSL_get0_alpn_selected(self->ssl, &protocol, &protocol_len);
    bool h2 = protocol_len == 2 && memcmp(protocol, "h2", 2) == 0;
    if (!h2 && !self->http1) {
      pubsub_error_set(error, PUBSUB_E_TLS, "the peer does not offer HTTP/2 (ALPN)");
      return PUBSUB_BYTESTREAM_ERROR;
    }
    self->handshaking = false;
    update_interest(self);
    return 1;
  }
  int why = SSL_get_error(self->ssl, done);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    update_interest(self);
    return PUBSUB_BYTESTREAM_AGAIN;
  }
  explain_failure(self, error);
  return PUBSUB_BYTESTREAM_ERROR;
}
