/* Signatures with a key that is made here, checked with its public half. */
#include "support.h"

#include "base/alloc.h"
#include "net/sign.h"
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

static EVP_PKEY *key;
static char pem[8192];

static void to_pem(EVP_PKEY *from, const EVP_CIPHER *cipher) {
  BIO *bio = BIO_new(BIO_s_mem());
  assert_int_equal(PEM_write_bio_PrivateKey(bio, from, cipher, NULL, 0, NULL, "pass"), 1);
  int len = BIO_read(bio, pem, sizeof pem - 1);
  assert_true(len > 0);
  pem[len] = '\0';
  BIO_free(bio);
}

static int set_up(void **state) {
  (void)state;
  key = EVP_RSA_gen(2048);
  return key ? 0 : -1;
}

static int tear_down(void **state) {
  (void)state;
  EVP_PKEY_free(key);
  return 0;
}

static void a_signature_holds(void **state) {
  struct pubsub_buf out = {0};
  struct pubsub_view data = pubsub_view_str("header.claims");
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  (void)state;
  to_pem(key, NULL);
  assert_int_equal(pubsub_sign_rs256(pubsub_view_str(pem), data, &out, NULL), PUBSUB_OK);
  assert_int_equal(out.len, 256);
  assert_int_equal(EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key), 1);
  assert_int_equal(EVP_DigestVerify(context, out.ptr, out.len, data.ptr, data.len), 1);
  EVP_MD_CTX_free(context);
  pubsub_buf_clear(&out);
}

static void refused(const char *text) {
  struct pubsub_buf out = {0};
  struct pubsub_error error = {0};
  assert_int_equal(pubsub_sign_rs256(pubsub_view_str(text), pubsub_view_str("data"), &out, &error),
                   PUBSUB_E_INVALID);
  assert_non_null(strstr(error.text, "no RSA key"));
  assert_int_equal(out.len, 0);
  pubsub_buf_clear(&out);
}

static void what_is_no_key(void **state) {
  EVP_PKEY *other = EVP_EC_gen("P-256");
  (void)state;
  refused("");
  refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  to_pem(key, EVP_aes_128_cbc()); /* with a pass phrase, which nobody is asked for */
  refused(pem);
  to_pem(other, NULL);
  refused(pem);
  EVP_PKEY_free(other);
}

static void without_memory(void **state) {
  struct pubsub_buf out = {0};
  (void)state;
  to_pem(key, NULL);
  pubsub_alloc_fail_after(1);
  assert_int_equal(pubsub_sign_rs256(pubsub_view_str(pem), pubsub_view_str("x"), &out, NULL),
                   PUBSUB_E_NOMEM);
  pubsub_buf_clear(&out);
}

#define TEST(name) cmocka_unit_test_teardown(name, no_leaks)

int main(void) {
  const struct CMUnitTest tests[] = {TEST(a_signature_holds), TEST(what_is_no_key),
                                     TEST(without_memory)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
