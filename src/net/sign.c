#include "net/sign.h"

#include "base/error.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

/* Without this OpenSSL would ask at the terminal. */
static int no_pass_phrase(char *out, int out_bytes, int writing, void *user) {
  (void)out;
  (void)out_bytes;
  (void)writing;
  (void)user;
  return -1;
}

static EVP_PKEY *read_key(struct pubsub_view key) {
  BIO *bio = key.len < INT32_MAX ? BIO_new_mem_buf(key.ptr, (int)key.len) : NULL;
  EVP_PKEY *out = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;
  BIO_free(bio);
  if (out && EVP_PKEY_base_id(out) == EVP_PKEY_RSA) return out;
  EVP_PKEY_free(out);
  return NULL;
}

static bool sign(EVP_MD_CTX *context, EVP_PKEY *key, struct pubsub_view data,
                 struct pubsub_buf *out) {
  size_t len = 0;
  if (EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
      EVP_DigestSign(context, NULL, &len, data.ptr, data.len) != 1 ||
      pubsub_buf_reserve(out, len) != PUBSUB_OK ||
      EVP_DigestSign(context, out->ptr + out->len, &len, data.ptr, data.len) != 1) {
    return false;
  }
  out->len += len;
  return true;
}

enum pubsub_status pubsub_sign_rs256(struct pubsub_view key, struct pubsub_view data,
                                     struct pubsub_buf *out, struct pubsub_error *error) {
  EVP_PKEY *parsed = read_key(key);
  EVP_MD_CTX *context = parsed ? EVP_MD_CTX_new() : NULL;
  bool good = context && sign(context, parsed, data, out);
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(parsed);
  ERR_clear_error();
  if (good) return PUBSUB_OK;
  return parsed ? pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory while signing")
                : pubsub_error_set(error, PUBSUB_E_INVALID,
                                   "the private key is no RSA key in PEM without a pass phrase");
}

static bool append_bio(BIO *bio, struct pubsub_buf *out) {
  char *text = NULL;
  long len = BIO_get_mem_data(bio, &text);
  return len > 0 && pubsub_buf_append(out, text, (size_t)len) == PUBSUB_OK;
}

static bool write_pem(EVP_PKEY *key, struct pubsub_buf *out, bool private_half) {
  BIO *bio = BIO_new(BIO_s_mem());
  bool good =
      bio && (private_half ? PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1
                           : PEM_write_bio_PUBKEY(bio, key) == 1);
  good = good && append_bio(bio, out);
  BIO_free(bio);
  return good;
}

enum pubsub_status pubsub_key_generate(struct pubsub_buf *private_pem,
                                       struct pubsub_buf *public_pem) {
  EVP_PKEY *key = EVP_RSA_gen(2048);
  bool good = key && write_pem(key, private_pem, true) && write_pem(key, public_pem, false);
  EVP_PKEY_free(key);
  ERR_clear_error();
  return good ? PUBSUB_OK : PUBSUB_E_NOMEM;
}
