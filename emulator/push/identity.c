#include "push/identity.h"

#include "base/alloc.h"
#include "base/text.h"
#include "json/printer.h"
#include "net/sign.h"
#include <inttypes.h>
#include <stdio.h>

static bool prepare(struct identity *identity) {
  if (identity->public_pem.len > 0) return true;
  if (pubsub_key_generate(&identity->private_pem, &identity->public_pem) == PUBSUB_OK &&
      pubsub_buf_append(&identity->public_pem, "", 1) == PUBSUB_OK) {
    return true;
  }
  identity_clear(identity);
  return false;
}

const char *identity_public_key(struct identity *identity) {
  return prepare(identity) ? (const char *)identity->public_pem.ptr : NULL;
}

/* base64 as URLs have it, unpadded. */
static bool add_base64url(struct pubsub_buf *out, struct pubsub_view bytes) {
  size_t cap = PUBSUB_BASE64_CHARS(bytes.len) + 1;
  if (pubsub_buf_reserve(out, cap) != PUBSUB_OK) return false;
  char *text = (char *)out->ptr + out->len;
  if (!pubsub_base64_encode(bytes, false, text, cap)) return false;
  for (char *c = text; *c; c++) {
    if (*c == '+') *c = '-';
    if (*c == '/') *c = '_';
  }
  out->len += strlen(text);
  return true;
}

static bool write_claims(struct pubsub_buf *out, const char *account, const char *audience,
                         int64_t now_s) {
  char times[120];
  snprintf(times, sizeof times,
           ",\"email_verified\":true,\"iat\":%" PRId64 ",\"exp\":%" PRId64
           ",\"iss\":\"https://accounts.google.com\"}",
           now_s, now_s + 3600);
  return json_print(out, "{\"aud\":") == PUBSUB_OK &&
         json_print_string(out, pubsub_view_str(audience)) == PUBSUB_OK &&
         json_print(out, ",\"azp\":") == PUBSUB_OK &&
         json_print_string(out, pubsub_view_str(account)) == PUBSUB_OK &&
         json_print(out, ",\"sub\":") == PUBSUB_OK &&
         json_print_string(out, pubsub_view_str(account)) == PUBSUB_OK &&
         json_print(out, ",\"email\":") == PUBSUB_OK &&
         json_print_string(out, pubsub_view_str(account)) == PUBSUB_OK &&
         json_print(out, times) == PUBSUB_OK;
}

static bool sign(const struct identity *identity, struct pubsub_buf *token) {
  struct pubsub_buf signature = {0};
  bool good =
      pubsub_sign_rs256(pubsub_view_of(identity->private_pem.ptr, identity->private_pem.len),
                        pubsub_view_of(token->ptr, token->len), &signature, NULL) == PUBSUB_OK &&
      pubsub_buf_append(token, ".", 1) == PUBSUB_OK &&
      add_base64url(token, pubsub_view_of(signature.ptr, signature.len)) &&
      pubsub_buf_append(token, "", 1) == PUBSUB_OK;
  pubsub_buf_clear(&signature);
  return good;
}

char *identity_token(struct identity *identity, const char *account, const char *audience,
                     int64_t now_s) {
  static const char header[] = "{\"alg\":\"RS256\",\"kid\":\"pubsub-emulator\",\"typ\":\"JWT\"}";
  struct pubsub_buf claims = {0}, token = {0};
  bool good = prepare(identity) && write_claims(&claims, account, audience, now_s) &&
              add_base64url(&token, pubsub_view_str(header)) &&
              pubsub_buf_append(&token, ".", 1) == PUBSUB_OK &&
              add_base64url(&token, pubsub_view_of(claims.ptr, claims.len)) &&
              sign(identity, &token);
  pubsub_buf_clear(&claims);
  if (good) return (char *)token.ptr;
  pubsub_buf_clear(&token);
  return NULL;
}

void identity_clear(struct identity *identity) {
  pubsub_buf_wipe(&identity->private_pem);
  pubsub_buf_clear(&identity->public_pem);
}
