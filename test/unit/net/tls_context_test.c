/* Memory that OpenSSL lacks once while a TLS context is made. */
#include "support.h"

#include "net/tls_inside.h"
#include <openssl/crypto.h>
#include <stdlib.h>

static size_t allocations, failing; /* 0: none fails */

static bool fails(void) {
  return ++allocations == failing;
}

static void *get(size_t bytes, const char *file, int line) {
  (void)file;
  (void)line;
  return fails() ? NULL : malloc(bytes);
}

static void *get_more(void *ptr, size_t bytes, const char *file, int line) {
  (void)file;
  (void)line;
  return fails() ? NULL : realloc(ptr, bytes);
}

static void let_go(void *ptr, const char *file, int line) {
  (void)file;
  (void)line;
  free(ptr);
}

/* Before OpenSSL's first allocation. Nobody is trusted: making a context reads no certificate. */
static int prepare(void **state) {
  (void)state;
  setenv("SSL_CERT_FILE", "/nonexistent", 1);
  setenv("SSL_CERT_DIR", "/nonexistent", 1);
  return CRYPTO_set_mem_functions(get, get_more, let_go) == 1 ? 0 : -1;
}

static struct pubsub_tls_context *make(size_t without) {
  struct pubsub_tls_context *context = NULL;
  struct pubsub_error error = {0};
  allocations = 0;
  failing = without;
  enum pubsub_status status = pubsub_tls_context_new_client(NULL, &context, &error);
  failing = 0;
  assert_int_equal(status, context ? PUBSUB_OK : PUBSUB_E_NOMEM);
  assert_int_equal(error.text[0] == '\0', context != NULL);
  return context;
}

/* Its first message: the lists of what it offers are of one length as long as they are whole. */
static size_t hello_bytes(struct pubsub_tls_context *context) {
  SSL *ssl = SSL_new(context->ssl);
  BIO *out = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl, BIO_new(BIO_s_mem()), out);
  SSL_set_connect_state(ssl);
  assert_int_equal(SSL_do_handshake(ssl), -1);
  size_t bytes = BIO_ctrl_pending(out);
  SSL_free(ssl);
  return bytes;
}

static size_t measure(size_t *out_allocations) {
  struct pubsub_tls_context *context;
  pubsub_tls_context_destroy(make(0)); /* what OpenSSL loads once */
  context = make(0);
  *out_allocations = allocations;
  size_t bytes = hello_bytes(context);
  pubsub_tls_context_destroy(context);
  return bytes;
}

static void a_context_offers_all_or_is_not_made(void **state) {
  size_t count, whole = measure(&count), refused = 0;
  (void)state;
  assert_true(count > 100 && whole > 100);
  for (size_t i = 1; i <= count; i++) {
    struct pubsub_tls_context *context = make(i);
    if (context) assert_int_equal(hello_bytes(context), whole);
    refused += !context;
    pubsub_tls_context_destroy(context);
  }
  assert_true(refused > 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(a_context_offers_all_or_is_not_made, no_leaks)};
  return cmocka_run_group_tests(tests, prepare, NULL);
}
