/* The certificates that a client trusts, and whether OpenSSL had the memory to read them. */
#include "net/tls_inside.h"

#include "base/error.h"
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool pubsub_tls_lacks_memory(void) {
  bool lacks = false;
  unsigned long code;
  while ((code = ERR_get_error())) {
    int reason = ERR_GET_REASON(code);
    lacks = lacks || reason == ERR_R_MALLOC_FAILURE || reason == ERR_R_INTERNAL_ERROR;
  }
  return lacks;
}

/* What OpenSSL made of a certificate, as it trusts it or not. */
struct reading {
  int key_bits; /* of security; 0: no key, or not read whole */
  bool extensions, signs_itself;
};

static struct reading read_certificate(X509 *certificate) {
  bool extensions = X509_check_purpose(certificate, -1, 0) != -1;
  EVP_PKEY *key = X509_get0_pubkey(certificate);
  return (struct reading){.key_bits = key ? EVP_PKEY_get_security_bits(key) : 0,
                          .extensions = extensions,
                          .signs_itself = X509_get_extension_flags(certificate) & EXFLAG_SS};
}

/* Whether it was read well, or cannot be read any better. A root signs itself. */
static bool is_read(X509 *certificate) {
  struct reading was = read_certificate(certificate);
  bool is_root =
      X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
  if (was.key_bits > 0 && was.extensions && (was.signs_itself || !is_root)) return true;
  ERR_clear_error();
  X509 *copy = X509_dup(certificate); /* from its bytes */
  if (!copy) return false;
  struct reading now = read_certificate(copy);
  X509_free(copy);
  return !pubsub_tls_lacks_memory() && was.key_bits == now.key_bits &&
         was.extensions == now.extensions && was.signs_itself == now.signs_itself;
}

static bool roots_are_read(X509_STORE *store) {
  STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
    X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (certificate && !is_read(certificate)) return false;
  }
  ERR_clear_error();
  return true;
}

/* What reading a key begins with. */
static bool can_read_keys(void) {
  BIO *bio = BIO_new(BIO_s_mem());
  BIO_free(bio);
  return bio != NULL;
}

bool pubsub_tls_chain_is_read(SSL *ssl) {
  if (!can_read_keys()) return false;
  X509_STORE *store = NULL;
  STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
  for (int i = 0; i < sk_X509_num(chain); i++) {
    if (!is_read(sk_X509_value(chain, i))) return false;
  }
  SSL_get0_verify_cert_store(ssl, &store);
  return !store || roots_are_read(store);
}

static enum pubsub_status load_file(SSL_CTX *context, const char *file,
                                    struct pubsub_error *error) {
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(context, file) == 1) return PUBSUB_OK;
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());
  if (pubsub_tls_lacks_memory()) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  return pubsub_error_set(error, PUBSUB_E_TLS, "cannot read CA certificates from '%.200s': %s",
                          file, reason ? reason : "unknown reason");
}

/* Of systems whose folder cannot be searched by a certificate's name: Red Hat's, an older one's. */
static const char *const other_files[] = {"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                                          "/etc/pki/tls/certs/ca-bundle.crt"};

/* The environment's, OpenSSL's own, or that of another system than it was built for; or NULL. */
static const char *find_system_file(void) {
  const char *file = secure_getenv(X509_get_default_cert_file_env());
  if (!file) file = X509_get_default_cert_file();
  if (access(file, R_OK) == 0) return file;
  for (size_t i = 0; i < sizeof other_files / sizeof *other_files; i++) {
    if (access(other_files[i], R_OK) == 0) return other_files[i];
  }
  return NULL;
}

/* As OpenSSL does it: a system without the file, or with a bad one, has its folder. */
static enum pubsub_status load_system_file(SSL_CTX *context, struct pubsub_error *error) {
  const char *file = find_system_file();
  if (!file) return PUBSUB_OK;
  struct pubsub_error ignored;
  enum pubsub_status status = load_file(context, file, &ignored);
  if (status != PUBSUB_E_NOMEM) return PUBSUB_OK;
  return pubsub_error_set(error, status, "out of memory");
}

enum pubsub_status pubsub_tls_roots_load(struct pubsub_tls_context *context, const char *ca_file,
                                         struct pubsub_error *error) {
  context->folder = !ca_file;
  enum pubsub_status status =
      ca_file ? load_file(context->ssl, ca_file, error) : load_system_file(context->ssl, error);
  if (status != PUBSUB_OK) return status;
  if (roots_are_read(SSL_CTX_get_cert_store(context->ssl))) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
}

static bool copy(X509_STORE *to, X509_STORE *from) {
  STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(from);
  for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
    X509 *certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
    if (certificate && X509_STORE_add_cert(to, certificate) != 1) return false;
  }
  return true;
}

bool pubsub_tls_roots_lend(const struct pubsub_tls_context *context, SSL *ssl) {
  if (!context->folder) return true;
  X509_STORE *store = X509_STORE_new();
  if (!store) return false;
  X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir());
  if (lookup && X509_LOOKUP_add_dir(lookup, NULL, X509_FILETYPE_DEFAULT) == 1 &&
      copy(store, SSL_CTX_get_cert_store(context->ssl)) &&
      SSL_set0_verify_cert_store(ssl, store) == 1) {
    return true;
  }
  X509_STORE_free(store);
  return false;
}
