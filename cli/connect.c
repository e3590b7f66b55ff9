/* Where the command connects to, and full names. */
#include "cli.h"

#include "base/wipe.h"
#include <stdlib.h>
#include <string.h>

static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value && value[0] ? value : NULL;
}

/* A token that was given, into out; "": none. False: told why it cannot be read. */
/* The file's first line. False: there is none, or not all of it fits. */
static bool read_token_file(const char *name, char *out, size_t out_bytes) {
  FILE *file = fopen(name, "r");
  size_t len = file ? fread(out, 1, out_bytes - 1, file) : 0;
  if (file) fclose(file);
  out[len] = '\0';
  size_t line = strcspn(out, "\r\n");
  bool whole = line < len ? out[line] != '\0' : len < out_bytes - 1;
  out[line] = '\0';
  return line > 0 && whole;
}

static bool read_token(const struct cli_options *options, char *out, size_t out_bytes) {
  const char *token = environment("PUBSUB_ACCESS_TOKEN");
  out[0] = '\0';
  if (options->token_file) {
    if (read_token_file(options->token_file, out, out_bytes)) return true;
    fprintf(stderr, "pubsub: cannot read a token from '%s'\n", options->token_file);
    return false;
  }
  if (!token || options->credentials) return true;
  if ((size_t)snprintf(out, out_bytes, "%s", token) < out_bytes) return true;
  fprintf(stderr, "pubsub: PUBSUB_ACCESS_TOKEN has more than %zu bytes\n", out_bytes - 1);
  return false;
}

static bool is_googles(const char *endpoint) {
  static const char domain[] = ".googleapis.com";
  size_t len = endpoint ? strcspn(endpoint, ":") : 0;
  return !endpoint || (len > sizeof domain - 1 && strncmp(endpoint + len - (sizeof domain - 1),
                                                          domain, sizeof domain - 1) == 0);
}

/* Another endpoint than Google's gets credentials that were named for it, and none that just lie
 * there. */
static bool wants_credentials(const struct cli_options *options) {
  return is_googles(options->endpoint) || options->credentials ||
         environment("GOOGLE_APPLICATION_CREDENTIALS") || environment("GCE_METADATA_HOST");
}

static enum pubsub_status authorize(struct pubsub_client *client, const struct cli_options *options,
                                    const char *token, struct pubsub_error *error) {
  struct pubsub_credentials_options credentials = {.file = options->credentials,
                                                   .proxy = options->proxy};
  if (token[0]) return pubsub_client_set_token(client, token, strlen(token), error);
  if (!wants_credentials(options)) return PUBSUB_OK;
  return pubsub_client_use_credentials(client, &credentials, CLI_TIMEOUT_MS, error);
}

struct pubsub_client *cli_connect(const struct cli_options *options) {
  const char *emulator = environment("PUBSUB_EMULATOR_HOST");
  struct pubsub_client_options client_options = {
      .endpoint = options->endpoint ? options->endpoint : emulator,
      .plaintext = options->plaintext || (!options->endpoint && emulator),
      .ca_file = options->ca_file,
      .user_agent = "pubsub-cli",
      .keepalive_ms = (uint32_t)options->keepalive_ms,
      .proxy = options->proxy};
  struct pubsub_client *client;
  struct pubsub_error error = {0};
  char token[8192];
  if (!read_token(options, token, sizeof token)) return NULL;
  if (pubsub_client_new(&client_options, &client, &error) != PUBSUB_OK) {
    cli_fail(&error);
    return NULL;
  }
  if (!client_options.plaintext && authorize(client, options, token, &error) != PUBSUB_OK) {
    cli_fail(&error);
    pubsub_client_destroy(client);
    client = NULL;
  }
  pubsub_wipe(token, sizeof token);
  return client;
}

static const char *project_of(const struct cli_options *options) {
  const char *project = options->project;
  if (!project) project = environment("PUBSUB_PROJECT_ID");
  if (!project) project = environment("GOOGLE_CLOUD_PROJECT");
  return project;
}

static bool is_whole(int written, size_t out_bytes) {
  if (written >= 0 && (size_t)written < out_bytes) return true;
  fprintf(stderr, "pubsub: a name has more than %zu bytes\n", out_bytes - 1);
  return false;
}

bool cli_full_name(const struct cli_options *options, const char *kind, const char *name, char *out,
                   size_t out_bytes) {
  const char *project = project_of(options);
  if (strncmp(name, "projects/", 9) == 0)
    return is_whole(snprintf(out, out_bytes, "%s", name), out_bytes);
  if (project)
    return is_whole(snprintf(out, out_bytes, "projects/%s/%s/%s", project, kind, name), out_bytes);
  fprintf(stderr, "pubsub: '%s' needs a project: --project, or GOOGLE_CLOUD_PROJECT\n", name);
  return false;
}

bool cli_project_name(const struct cli_options *options, char *out, size_t out_bytes) {
  const char *project = project_of(options);
  if (project) return is_whole(snprintf(out, out_bytes, "projects/%s", project), out_bytes);
  fprintf(stderr, "pubsub: a list needs a project: --project, or GOOGLE_CLOUD_PROJECT\n");
  return false;
}
