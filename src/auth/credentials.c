#include "auth/credentials.h"

#include "auth/json.h"
#include "base/error.h"
#include "net/endpoint.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_FILE_BYTES 65536u
#define GOOGLE_TOKEN_URI "https://oauth2.googleapis.com/token"
#define METADATA_ADDRESS "169.254.169.254"
#define METADATA_PATH                                                                              \
  "/computeMetadata/v1/instance/service-accounts/default/"                                         \
  "token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fpubsub"
#define WELL_KNOWN_FILE "application_default_credentials.json"

void pubsub_credentials_clear(struct pubsub_credentials *credentials) {
  pubsub_buf_wipe(&credentials->email);
  pubsub_buf_wipe(&credentials->key);
  pubsub_buf_wipe(&credentials->key_id);
  pubsub_buf_wipe(&credentials->client_id);
  pubsub_buf_wipe(&credentials->client_secret);
  pubsub_buf_wipe(&credentials->refresh_token);
}

struct source {
  struct pubsub_view text;
  const char *name;
  struct pubsub_error *error;
};

static enum pubsub_status need(const struct source *source, const char *member,
                               struct pubsub_buf *out) {
  enum pubsub_status status = pubsub_json_string(source->text, member, out);
  if (status == PUBSUB_OK) return status;
  if (status == PUBSUB_E_NOMEM) return pubsub_error_set(source->error, status, "out of memory");
  return pubsub_error_set(source->error, PUBSUB_E_INVALID, "the credentials in '%.300s' lack '%s'",
                          source->name, member);
}

static enum pubsub_status read_token_uri(const struct source *source,
                                         struct pubsub_credentials *out) {
  struct pubsub_buf text = {0};
  enum pubsub_status status = pubsub_json_string(source->text, "token_uri", &text);
  if (status == PUBSUB_E_NOMEM) return pubsub_error_set(source->error, status, "out of memory");
  const char *uri = status == PUBSUB_OK ? (const char *)text.ptr : GOOGLE_TOKEN_URI;
  status = pubsub_url_parse(uri, "the credentials' token_uri", &out->url, source->error);
  snprintf(out->token_uri, sizeof out->token_uri, "%s", uri);
  pubsub_buf_clear(&text);
  return status;
}

static enum pubsub_status read_service_account(const struct source *source,
                                               struct pubsub_credentials *out) {
  enum pubsub_status status;
  out->kind = PUBSUB_CREDENTIALS_SERVICE_ACCOUNT;
  if ((status = need(source, "client_email", &out->email)) != PUBSUB_OK ||
      (status = need(source, "private_key", &out->key)) != PUBSUB_OK ||
      (status = need(source, "private_key_id", &out->key_id)) != PUBSUB_OK) {
    return status;
  }
  return read_token_uri(source, out);
}

static enum pubsub_status read_user(const struct source *source, struct pubsub_credentials *out) {
  enum pubsub_status status;
  out->kind = PUBSUB_CREDENTIALS_USER;
  if ((status = need(source, "client_id", &out->client_id)) != PUBSUB_OK ||
      (status = need(source, "client_secret", &out->client_secret)) != PUBSUB_OK ||
      (status = need(source, "refresh_token", &out->refresh_token)) != PUBSUB_OK) {
    return status;
  }
  return read_token_uri(source, out);
}

enum pubsub_status pubsub_credentials_read(struct pubsub_view text, const char *name,
                                           struct pubsub_credentials *out,
                                           struct pubsub_error *error) {
  struct source source = {text, name, error};
  struct pubsub_buf type = {0};
  *out = (struct pubsub_credentials){0};
  enum pubsub_status status = need(&source, "type", &type);
  const char *kind = (const char *)type.ptr;
  if (status != PUBSUB_OK) {
    /* told */
  } else if (strcmp(kind, "service_account") == 0) {
    status = read_service_account(&source, out);
  } else if (strcmp(kind, "authorized_user") == 0) {
    status = read_user(&source, out);
  } else {
    status = pubsub_error_set(error, PUBSUB_E_INVALID,
                              "the credentials in '%.300s' are of type '%.40s'; service_account "
                              "and authorized_user can be used here",
                              name, kind);
  }
  pubsub_buf_clear(&type);
  return status;
}

static enum pubsub_status read_file(const char *name, struct pubsub_credentials *out,
                                    struct pubsub_error *error) {
  struct pubsub_buf content = {0};
  FILE *file = fopen(name, "rb");
  enum pubsub_status status = PUBSUB_OK;
  if (!file) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "cannot read the credentials '%.300s': %s",
                            name, strerror(errno));
  }
  if (pubsub_buf_reserve(&content, MAX_FILE_BYTES + 1) != PUBSUB_OK) {
    status = pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  } else if ((content.len = fread(content.ptr, 1, MAX_FILE_BYTES + 1, file)) > MAX_FILE_BYTES) {
    status = pubsub_error_set(error, PUBSUB_E_INVALID,
                              "the credentials in '%.300s' have more than %u bytes", name,
                              MAX_FILE_BYTES);
  } else if (ferror(file)) {
    status = pubsub_error_set(error, PUBSUB_E_INVALID, "cannot read the credentials '%.300s': %s",
                              name, strerror(errno));
  } else {
    status = pubsub_credentials_read(pubsub_view_of(content.ptr, content.len), name, out, error);
  }
  fclose(file);
  pubsub_buf_wipe(&content);
  return status;
}

static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value && value[0] ? value : NULL;
}

/* Where `gcloud auth application-default login` leaves them. False: there is no such file. */
static bool well_known(char *out, size_t out_bytes) {
  const char *config = environment("CLOUDSDK_CONFIG"), *home = environment("HOME");
  if (config) {
    snprintf(out, out_bytes, "%s/" WELL_KNOWN_FILE, config);
  } else if (home) {
    snprintf(out, out_bytes, "%s/.config/gcloud/" WELL_KNOWN_FILE, home);
  } else {
    return false;
  }
  FILE *file = fopen(out, "rb");
  if (file) fclose(file);
  return file != NULL;
}

static enum pubsub_status use_metadata(struct pubsub_credentials *out, struct pubsub_error *error) {
  const char *host = environment("GCE_METADATA_HOST");
  *out = (struct pubsub_credentials){.kind = PUBSUB_CREDENTIALS_METADATA};
  snprintf(out->url.path, sizeof out->url.path, "%s", METADATA_PATH);
  return pubsub_endpoint_parse(host ? host : METADATA_ADDRESS, 80, out->url.host,
                               sizeof out->url.host, &out->url.port, error);
}

enum pubsub_status pubsub_credentials_find(const char *file, struct pubsub_credentials *out,
                                           struct pubsub_error *error) {
  char name[1024];
  *out = (struct pubsub_credentials){0};
  if (!file) file = environment("GOOGLE_APPLICATION_CREDENTIALS");
  if (!file && well_known(name, sizeof name)) file = name;
  return file ? read_file(file, out, error) : use_metadata(out, error);
}
