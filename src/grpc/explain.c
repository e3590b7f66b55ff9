#include "grpc/explain.h"

#include "base/error.h"
#include <stdio.h>

#define NAME_CHARS 250 /* of a name, in a text */

static int shown(struct pubsub_view text) {
  return text.len < NAME_CHARS ? (int)text.len : NAME_CHARS;
}

/* What follows the last slash. */
static struct pubsub_view id_of(struct pubsub_view name) {
  const uint8_t *slash = name.len > 0 ? memrchr(name.ptr, '/', name.len) : NULL;
  if (!slash) return name;
  return pubsub_view_of(slash + 1, (size_t)(name.ptr + name.len - slash - 1));
}

/* P of "projects/P/…"; empty where it is not so. */
static struct pubsub_view project_of(struct pubsub_view name) {
  static const char prefix[] = "projects/";
  size_t start = sizeof prefix - 1;
  if (name.len <= start || memcmp(name.ptr, prefix, start) != 0) return pubsub_view_str("PROJECT");
  const uint8_t *end = memchr(name.ptr + start, '/', name.len - start);
  if (!end) return pubsub_view_str("PROJECT");
  return pubsub_view_of(name.ptr + start, (size_t)(end - name.ptr) - start);
}

/* The command that makes the subject; "": users make no such thing. */
static void write_command(const struct pubsub_subject *subject, char *out, size_t out_bytes) {
  struct pubsub_view id = id_of(subject->name), project = project_of(subject->name);
  const char *equals = subject->emulator ? " " : "=";
  const char *tool = subject->emulator ? "pubsub" : "gcloud pubsub";
  const char *plural = subject->emulator ? "" : "s";
  char topic[16] = "";
  *out = '\0';
  if (strcmp(subject->object, "subscription") == 0) {
    snprintf(topic, sizeof topic, " --topic%sTOPIC", equals);
  } else if (strcmp(subject->object, "topic") != 0) {
    return;
  }
  snprintf(out, out_bytes, "; create it with: %s %s%s create %.*s%s --project%s%.*s", tool,
           subject->object, plural, shown(id), (const char *)id.ptr, topic, equals, shown(project),
           (const char *)project.ptr);
}

void pubsub_explain_missing(const struct pubsub_subject *subject, struct pubsub_error *out) {
  char command[2 * NAME_CHARS + 100];
  write_command(subject, command, sizeof command);
  pubsub_error_set_grpc(out, PUBSUB_GRPC_NOT_FOUND, "%s '%.*s' does not exist%s", subject->object,
                        shown(subject->name), (const char *)subject->name.ptr, command);
}

/* A role that has the permission; "": none of Pub/Sub's own that one would give for it alone. */
static const char *role_with(const char *permission) {
  if (strcmp(permission, "pubsub.topics.publish") == 0) return "roles/pubsub.publisher";
  if (strcmp(permission, "pubsub.subscriptions.consume") == 0) return "roles/pubsub.subscriber";
  return permission[0] ? "roles/pubsub.editor" : "";
}

static void explain_denied(const struct pubsub_subject *subject, const char *text,
                           struct pubsub_error *out) {
  const char *permission = subject->permission ? subject->permission : "";
  pubsub_error_set_grpc(out, PUBSUB_GRPC_PERMISSION_DENIED,
                        "no permission %s %s '%.*s'%s%s%s%s%s: %.120s",
                        subject->deed ? subject->deed : "on", subject->object, shown(subject->name),
                        (const char *)subject->name.ptr, permission[0] ? " (" : "", permission,
                        permission[0] ? " is needed, for example by the role " : "",
                        role_with(permission), permission[0] ? ")" : "", text);
}

static void explain_code(const struct pubsub_subject *subject, const struct pubsub_error *why,
                         struct pubsub_error *out) {
  const char *name = (const char *)subject->name.ptr;
  if (why->grpc_code == PUBSUB_GRPC_NOT_FOUND) {
    pubsub_explain_missing(subject, out);
  } else if (why->grpc_code == PUBSUB_GRPC_PERMISSION_DENIED) {
    explain_denied(subject, why->text, out);
  } else if (why->grpc_code == PUBSUB_GRPC_UNAUTHENTICATED) {
    pubsub_error_set_grpc(out, why->grpc_code,
                          "%s '%.*s': the service does not accept the access token "
                          "(UNAUTHENTICATED: %.160s)",
                          subject->object, shown(subject->name), name, why->text);
  } else {
    pubsub_error_set_grpc(out, why->grpc_code, "%s '%.*s': %s: %.200s", subject->object,
                          shown(subject->name), name, pubsub_grpc_code_name(why->grpc_code),
                          why->text);
  }
}

void pubsub_explain(const struct pubsub_subject *subject, const struct pubsub_error *why,
                    struct pubsub_error *out) {
  bool retryable = why->retryable;
  if (why->status == PUBSUB_E_GRPC) {
    explain_code(subject, why, out);
  } else {
    pubsub_error_set(out, why->status, "%s '%.*s': %.300s", subject->object, shown(subject->name),
                     (const char *)subject->name.ptr, why->text);
  }
  out->retryable = retryable;
}
