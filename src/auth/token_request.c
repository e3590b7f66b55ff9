#include "auth/token_request.h"

#include "auth/json.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "net/sign.h"
#include <inttypes.h>
#include <stdio.h>

#define SCOPE "https://www.googleapis.com/auth/pubsub"
#define LIFETIME_S 3600 /* of an assertion, the longest that is taken */
#define LEAST_LIFETIME_S 1

static enum pubsub_status put(struct pubsub_buf *out, const char *text) {
  return pubsub_buf_append(out, text, strlen(text));
}

static enum pubsub_status put_percent(struct pubsub_buf *out, struct pubsub_view value) {
  if (pubsub_buf_reserve(out, value.len * 3) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  out->len += pubsub_percent_encode(value, (char *)out->ptr + out->len);
  return PUBSUB_OK;
}

/* Base64 with the alphabet of URLs, unpadded (RFC 7515, 2). */
static enum pubsub_status put_base64url(struct pubsub_buf *out, struct pubsub_view value) {
  size_t room = PUBSUB_BASE64_CHARS(value.len) + 1;
  if (pubsub_buf_reserve(out, room) != PUBSUB_OK) return PUBSUB_E_NOMEM;
  char *at = (char *)out->ptr + out->len;
  pubsub_base64_encode(value, false, at, room);
  for (; *at; at++, out->len++) {
    if (*at == '+') *at = '-';
    if (*at == '/') *at = '_';
  }
  return PUBSUB_OK;
}

static struct pubsub_view view(const struct pubsub_buf *buf) {
  return pubsub_view_of(buf->ptr, buf->len);
}

/* A string of JSON: what key files have in these fields needs quotes and backslashes escaped
 * alone. */
static enum pubsub_status put_string(struct pubsub_buf *out, const char *name, const char *value) {
  if (put(out, "\"") || put(out, name) || put(out, "\":\"")) return PUBSUB_E_NOMEM;
  for (; *value; value++) {
    if ((*value == '"' || *value == '\\') && put(out, "\\")) return PUBSUB_E_NOMEM;
    if (pubsub_buf_append(out, value, 1)) return PUBSUB_E_NOMEM;
  }
  return put(out, "\"");
}

static enum pubsub_status put_claims(const struct pubsub_credentials *credentials, uint64_t now_s,
                                     struct pubsub_buf *out) {
  char times[80];
  snprintf(times, sizeof times, ",\"iat\":%" PRIu64 ",\"exp\":%" PRIu64 "}", now_s,
           now_s + LIFETIME_S);
  if (put(out, "{") || put_string(out, "iss", (const char *)credentials->email.ptr) ||
      put(out, ",") || put_string(out, "scope", SCOPE) || put(out, ",") ||
      put_string(out, "aud", credentials->token_uri) || put(out, times)) {
    return PUBSUB_E_NOMEM;
  }
  return PUBSUB_OK;
}

static enum pubsub_status put_header(const struct pubsub_credentials *credentials,
                                     struct pubsub_buf *out) {
  if (put(out, "{\"alg\":\"RS256\",\"typ\":\"JWT\",") ||
      put_string(out, "kid", (const char *)credentials->key_id.ptr)) {
    return PUBSUB_E_NOMEM;
  }
  return put(out, "}");
}

/* header.claims.signature */
static enum pubsub_status put_assertion(const struct pubsub_credentials *credentials,
                                        uint64_t now_s, struct pubsub_buf *out,
                                        struct pubsub_error *error) {
  struct pubsub_buf header = {0}, claims = {0}, jwt = {0}, signature = {0};
  enum pubsub_status status = PUBSUB_E_NOMEM;
  if (!put_header(credentials, &header) && !put_claims(credentials, now_s, &claims) &&
      !put_base64url(&jwt, view(&header)) && !put(&jwt, ".") &&
      !put_base64url(&jwt, view(&claims))) {
    status = pubsub_sign_rs256(view(&credentials->key), view(&jwt), &signature, error);
  } else {
    pubsub_error_set(error, status, "out of memory");
  }
  if (status == PUBSUB_OK && (put(&jwt, ".") || put_base64url(&jwt, view(&signature)) ||
                              pubsub_buf_append(out, jwt.ptr, jwt.len))) {
    status = pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  }
  pubsub_buf_clear(&header);
  pubsub_buf_clear(&claims);
  pubsub_buf_wipe(&jwt);
  pubsub_buf_clear(&signature);
  return status;
}

static enum pubsub_status put_form(const struct pubsub_credentials *credentials, uint64_t now_s,
                                   struct pubsub_buf *out, struct pubsub_error *error) {
  if (credentials->kind == PUBSUB_CREDENTIALS_SERVICE_ACCOUNT) {
    if (put(out, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="))
      return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
    return put_assertion(credentials, now_s, out, error);
  }
  if (put(out, "grant_type=refresh_token&client_id=") ||
      put_percent(out, view(&credentials->client_id)) || put(out, "&client_secret=") ||
      put_percent(out, view(&credentials->client_secret)) || put(out, "&refresh_token=") ||
      put_percent(out, view(&credentials->refresh_token))) {
    return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  }
  return PUBSUB_OK;
}

static enum pubsub_status put_head(const struct pubsub_credentials *credentials, size_t form_bytes,
                                   struct pubsub_buf *out) {
  const struct pubsub_url *url = &credentials->url;
  char head[1200], rest[200];
  bool metadata = credentials->kind == PUBSUB_CREDENTIALS_METADATA;
  bool v6 = strchr(url->host, ':') != NULL;
  snprintf(head, sizeof head,
           "%s %s HTTP/1.1\r\nHost: %s%s%s:%u\r\nUser-Agent: libpubsub/" PUBSUB_VERSION_STRING
           "\r\nAccept: application/json\r\nConnection: close\r\n",
           metadata ? "GET" : "POST", url->path, v6 ? "[" : "", url->host, v6 ? "]" : "",
           url->port);
  snprintf(rest, sizeof rest,
           "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %zu\r\n\r\n",
           form_bytes);
  if (put(out, head)) return PUBSUB_E_NOMEM;
  return put(out, metadata ? "Metadata-Flavor: Google\r\n\r\n" : rest);
}

enum pubsub_status pubsub_token_request_write(const struct pubsub_credentials *credentials,
                                              uint64_t now_s, struct pubsub_buf *out,
                                              struct pubsub_error *error) {
  struct pubsub_buf form = {0};
  enum pubsub_status status = PUBSUB_OK;
  if (credentials->kind != PUBSUB_CREDENTIALS_METADATA)
    status = put_form(credentials, now_s, &form, error);
  if (status == PUBSUB_OK &&
      (put_head(credentials, form.len, out) || pubsub_buf_append(out, form.ptr, form.len))) {
    status = pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  }
  pubsub_buf_wipe(&form);
  return status;
}

/* "invalid_grant: Token has been expired or revoked", as far as the answer has it. */
static enum pubsub_status refused(const struct pubsub_credentials *credentials,
                                  const struct pubsub_http_answer *answer,
                                  struct pubsub_error *error) {
  struct pubsub_buf kind = {0}, description = {0};
  bool passes = answer->status >= 500 || answer->status == 429 || answer->status == 408;
  bool named = pubsub_json_string(view(&answer->body), "error", &kind) == PUBSUB_OK;
  bool told =
      pubsub_json_string(view(&answer->body), "error_description", &description) == PUBSUB_OK;
  enum pubsub_status status = pubsub_error_set_grpc(
      error, passes ? PUBSUB_GRPC_UNAVAILABLE : PUBSUB_GRPC_UNAUTHENTICATED,
      "%.200s gave no access token: HTTP %d%s%.100s%s%.150s", credentials->url.host, answer->status,
      named ? ", " : "", named ? (const char *)kind.ptr : "", told ? ": " : "",
      told ? (const char *)description.ptr : "");
  pubsub_buf_clear(&kind);
  pubsub_buf_clear(&description);
  return status;
}

enum pubsub_status pubsub_token_request_read(const struct pubsub_credentials *credentials,
                                             const struct pubsub_http_answer *answer,
                                             struct pubsub_buf *out_token, uint64_t *out_lifetime_s,
                                             struct pubsub_error *error) {
  if (answer->status != 200) return refused(credentials, answer, error);
  enum pubsub_status status = pubsub_json_string(view(&answer->body), "access_token", out_token);
  if (status == PUBSUB_E_NOMEM) return pubsub_error_set(error, status, "out of memory");
  if (status == PUBSUB_OK && out_token->len > 0 &&
      pubsub_json_number(view(&answer->body), "expires_in", out_lifetime_s)) {
    if (*out_lifetime_s < LEAST_LIFETIME_S) *out_lifetime_s = LEAST_LIFETIME_S;
    return PUBSUB_OK;
  }
  return pubsub_error_set(error, PUBSUB_E_PROTOCOL, "the answer of %.200s has no access token",
                          credentials->url.host);
}
