#include "rpc/token.h"

#include "base/error.h"
#include <stdio.h>

#define SCHEME "Bearer "
#define SCHEME_BYTES (sizeof SCHEME - 1)

enum pubsub_status token_set(struct token *token, const char *value, struct pubsub_error *error) {
  token->value.len = 0;
  if (pubsub_buf_append(&token->value, value, strlen(value)) == PUBSUB_OK) return PUBSUB_OK;
  return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
}

static enum pubsub_status set_required(struct token *token, const char *value,
                                       const char *file_or_value, struct pubsub_error *error) {
  if (*value) return token_set(token, value, error);
  return pubsub_error_set(error, PUBSUB_E_INVALID, "there is no token in '%s'", file_or_value);
}

enum pubsub_status token_require(struct token *token, const char *file_or_value,
                                 struct pubsub_error *error) {
  char text[4096];
  FILE *file = fopen(file_or_value, "r");
  if (!file) return set_required(token, file_or_value, file_or_value, error);
  size_t len = fread(text, 1, sizeof text - 1, file);
  bool failed = ferror(file) != 0;
  fclose(file);
  if (failed) return pubsub_error_set(error, PUBSUB_E_IO, "cannot read %s", file_or_value);
  text[len] = '\0';
  size_t line = strcspn(text, "\r\n");
  if (line == sizeof text - 1) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "the token in '%s' has more than %zu bytes",
                            file_or_value, sizeof text - 2);
  }
  text[line] = '\0';
  return set_required(token, text, file_or_value, error);
}

const char *token_problem(const struct token *token, struct pubsub_view authorization) {
  if (token->value.len == 0) return NULL;
  if (authorization.len == 0) return "the call has no access token";
  if (authorization.len < SCHEME_BYTES || memcmp(authorization.ptr, SCHEME, SCHEME_BYTES) != 0) {
    return "the authorization is not a bearer's";
  }
  struct pubsub_view given =
      pubsub_view_of(authorization.ptr + SCHEME_BYTES, authorization.len - SCHEME_BYTES);
  struct pubsub_view required = pubsub_view_of(token->value.ptr, token->value.len);
  return pubsub_view_equal(given, required) ? NULL : "the access token is not valid";
}

void token_clear(struct token *token) {
  pubsub_buf_clear(&token->value);
}
