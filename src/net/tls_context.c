/* Certificates, protocol versions and ALPN: what all TLS streams of a client or a server share. */
#include "net/tls_inside.h"

#include "base/alloc.h"
#include "base/error.h"
#include <openssl/err.h>
#include <string.h>

static const unsigned char alpn_h2[] = {2, 'h', '2'};
static const unsigned char alpn_http1[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
static const unsigned char alpn_server[] = {2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

static void last_reason(char *out, size_t out_bytes) {
  unsigned long code = ERR_peek_last_error();
  const char *reason = code ? ERR_reason_error_string(code) : NULL;
  snprintf(out, out_bytes, "%s", reason ? reason : "unknown reason");
  ERR_clear_error();
}

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned in_len, void *user) {
  (void)ssl;
  (void)user;
  unsigned char *chosen;
  if (SSL_select_next_proto(&chosen, out_len, alpn_server, sizeof alpn_server, in, in_len) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/* How long the first message of a client with this context is: it lists the ciphers, groups and
 * signature algorithms. 0: no memory. */
static size_t offer_bytes(SSL_CTX *context) {
  SSL *ssl = SSL_new(context);
  BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
  size_t bytes = 0;
  if (ssl && in && out) {
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    SSL_do_handshake(ssl); /* as far as it goes without an answer */
    bytes = BIO_ctrl_pending(out);
  } else {
    BIO_free(in);
    BIO_free(out);
  }
  SSL_free(ssl);
  return bytes;
}

/* Where OpenSSL lacks memory for a cipher, a group or a signature algorithm, it makes a context
 * without it and does not say so. Another one, made the same way, tells. */
static bool offers_all(SSL_CTX *context) {
  SSL_CTX *other = SSL_CTX_new(TLS_method());
  size_t all = other ? offer_bytes(other) : 0;
  SSL_CTX_free(other);
  bool good = all > 0 && offer_bytes(context) == all;
  ERR_clear_error();
  return good;
}

static enum pubsub_status context_new(bool server, struct pubsub_tls_context **out,
                                      struct pubsub_error *error) {
  /* A library inside somebody else's process registers no exit handlers. */
  OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL);
  struct pubsub_tls_context *context = pubsub_alloc_zero(1, sizeof *context);
  if (!context) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  context->server = server;
  context->ssl = SSL_CTX_new(TLS_method());
  context->bio = pubsub_tls_bio_method_new();
  if (!context->ssl || !context->bio || !offers_all(context->ssl)) {
    pubsub_tls_context_destroy(context);
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  }
  SSL_CTX_set_min_proto_version(context->ssl, TLS1_2_VERSION);
  SSL_CTX_set_mode(context->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                     SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_session_cache_mode(context->ssl, SSL_SESS_CACHE_OFF);
  *out = context;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_tls_context_new_client(const char *ca_file,
                                                 struct pubsub_tls_context **out,
                                                 struct pubsub_error *error) {
  struct pubsub_tls_context *context;
  enum pubsub_status status = context_new(false, &context, error);
  if (status != PUBSUB_OK) return status;
  SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_security_level(
      context->ssl, 2); /* 112 bits: no SHA-1, no RSA below 2048, however OpenSSL was built */
  if (SSL_CTX_set_alpn_protos(context->ssl, alpn_h2, sizeof alpn_h2) != 0) {
    pubsub_tls_context_destroy(context);
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  }
  status = pubsub_tls_roots_load(context, ca_file, error);
  if (status != PUBSUB_OK) {
    pubsub_tls_context_destroy(context);
    return status;
  }
  *out = context;
  return PUBSUB_OK;
}

enum pubsub_status pubsub_tls_context_use_http1(struct pubsub_tls_context *context,
                                                struct pubsub_error *error) {
  context->http1 = true;
  if (SSL_CTX_set_alpn_protos(context->ssl, alpn_http1, sizeof alpn_http1) == 0) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
}

enum pubsub_status pubsub_tls_context_new_server(const char *certificate_file, const char *key_file,
                                                 struct pubsub_tls_context **out,
                                                 struct pubsub_error *error) {
  struct pubsub_tls_context *context;
  enum pubsub_status status = context_new(true, &context, error);
  if (status != PUBSUB_OK) return status;
  context->http1 = true;
  SSL_CTX_set_alpn_select_cb(context->ssl, select_alpn, NULL);
  if (SSL_CTX_use_certificate_chain_file(context->ssl, certificate_file) != 1 ||
      SSL_CTX_use_PrivateKey_file(context->ssl, key_file, SSL_FILETYPE_PEM) != 1) {
    char reason[120];
    last_reason(reason, sizeof reason);
    pubsub_error_set(error, PUBSUB_E_TLS, "cannot use certificate '%.150s' with key '%.150s': %s",
                     certificate_file, key_file, reason);
    pubsub_tls_context_destroy(context);
    return PUBSUB_E_TLS;
  }
  *out = context;
  return PUBSUB_OK;
}

void pubsub_tls_context_destroy(struct pubsub_tls_context *context) {
  if (!context) return;
  SSL_CTX_free(context->ssl);
  BIO_meth_free(context->bio);
  pubsub_free(context);
}

const char *pubsub_tls_library(void) {
  return OpenSSL_version(OPENSSL_VERSION);
}
