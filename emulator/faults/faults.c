#include "faults/faults.h"

#include "base/alloc.h"
#include "base/error.h"
#include "model/times.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define CONTROL "/pubsub.emulator.v1.Control/"

static const char *const kind_names[FAULT_KINDS] = {
    [FAULT_STATUS] = "status",       [FAULT_LATENCY] = "latency",
    [FAULT_STALL] = "stall",         [FAULT_RESET] = "reset",
    [FAULT_GOAWAY] = "goaway",       [FAULT_DISCONNECT] = "disconnect",
    [FAULT_DROP_ACKS] = "drop-acks", [FAULT_TRANSIENT_ACKS] = "transient-acks",
    [FAULT_DUPLICATE] = "duplicate", [FAULT_EXPIRE] = "expire",
    [FAULT_SILENT] = "silent",       [FAULT_LATE_HEADERS] = "late-headers",
    [FAULT_LIFETIME] = "lifetime",   [FAULT_DENY] = "deny",
};

static const char *const status_names[] = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

void faults_init(struct faults *faults, uint64_t seed) {
  *faults = (struct faults){0};
  pubsub_rng_seed(&faults->rng, seed);
}

bool faults_parse_seed(const char *text, uint64_t *out) {
  errno = 0;
  uint64_t seed = strtoull(text, NULL, 10);
  if (*text == '\0' || text[strspn(text, "0123456789")] != '\0' || errno) return false;
  *out = seed;
  return true;
}

void faults_clear(struct faults *faults) {
  pubsub_free(faults->rules);
  faults->rules = NULL;
  faults->count = 0;
}

int faults_status_code(const char *text) {
  for (int i = 0; i < (int)(sizeof status_names / sizeof *status_names); i++) {
    if (strcmp(text, status_names[i]) == 0) return i;
  }
  char *end;
  long code = strtol(text, &end, 10);
  return *text >= '0' && *text <= '9' && *end == '\0' && code <= 16 ? (int)code : -1;
}

static bool parse_kind(struct fault *rule, char *word) {
  char *value = strchr(word, '=');
  if (value) *value++ = '\0';
  int kind = 0;
  while (kind < FAULT_KINDS && strcmp(kind_names[kind], word) != 0)
    kind++;
  if (kind == FAULT_KINDS) return false;
  rule->kind = (enum fault_kind)kind;
  switch (rule->kind) {
  case FAULT_STATUS: {
    if (!value) return false;
    char *message = strchr(value, ':');
    if (message) *message++ = '\0';
    rule->code = faults_status_code(value);
    snprintf(rule->message, sizeof rule->message, "%s", message ? message : "injected fault");
    for (char *c = rule->message; *c; c++) {
      if (*c == '_') *c = ' ';
    }
    return rule->code > 0;
  }
  case FAULT_LATENCY:
  case FAULT_LIFETIME:
    return value && times_parse(value, &rule->us);
  case FAULT_EXPIRE:
    rule->us = 100000;
    return !value || times_parse(value, &rule->us);
  default:
    return !value;
  }
}

static bool parse_option(struct fault *rule, const char *word) {
  char *end;
  const char *value = strchr(word, '=');
  if (!value) return false;
  size_t len = (size_t)(value++ - word);
  if (len == 11 && memcmp(word, "probability", len) == 0) {
    rule->probability = strtod(value, &end);
    return *value && *end == '\0' && rule->probability >= 0 && rule->probability <= 1;
  }
  uint64_t number = strtoull(value, &end, 10);
  if (*value < '0' || *value > '9' || *end != '\0') return false;
  if (len == 5 && memcmp(word, "count", len) == 0) {
    rule->count = number;
  } else if (len == 5 && memcmp(word, "after", len) == 0) {
    rule->after = number;
  } else {
    return false;
  }
  return true;
}

enum pubsub_status faults_add(struct faults *faults, const char *text, struct pubsub_error *error) {
  char copy[512], *rest = NULL;
  struct fault rule = {.probability = 1, .count = UINT64_MAX};
  if ((size_t)snprintf(copy, sizeof copy, "%s", text) >= sizeof copy) {
    return pubsub_error_set(error, PUBSUB_E_INVALID, "a fault has at most %zu characters",
                            sizeof copy - 1);
  }
  char *method = strtok_r(copy, " ", &rest), *kind = strtok_r(NULL, " ", &rest), *word;
  if (!method || !kind || strlen(method) >= sizeof rule.method) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "'%s': a fault is METHOD KIND[=VALUE] [option=…]…", text);
  }
  snprintf(rule.method, sizeof rule.method, "%s", method);
  if (!parse_kind(&rule, kind)) {
    return pubsub_error_set(error, PUBSUB_E_INVALID,
                            "'%s' is not a kind of fault, or its value is wrong", kind);
  }
  while ((word = strtok_r(NULL, " ", &rest))) {
    if (!parse_option(&rule, word)) {
      return pubsub_error_set(error, PUBSUB_E_INVALID,
                              "'%s' is not probability=0..1, count=N or after=N", word);
    }
  }
  void *rules = pubsub_realloc(faults->rules, (faults->count + 1) * sizeof *faults->rules);
  if (!rules) return pubsub_error_set(error, PUBSUB_E_NOMEM, "out of memory");
  faults->rules = rules;
  faults->rules[faults->count++] = rule;
  return PUBSUB_OK;
}

bool faults_spare(const char *path) {
  return strncmp(path, CONTROL, sizeof CONTROL - 1) == 0;
}

const struct fault *faults_draw(struct faults *faults, const char *path, enum fault_kind kind) {
  for (size_t i = 0; i < faults->count; i++) {
    struct fault *rule = &faults->rules[i];
    if (rule->kind != kind || rule->hits >= rule->count) continue;
    const char *method = strrchr(path, '/');
    if (rule->method[0] != '*' && strcmp(rule->method, method ? method + 1 : path) != 0) continue;
    if (rule->seen++ < rule->after) continue;
    if (rule->probability < 1 && pubsub_rng_unit(&faults->rng) >= rule->probability) continue;
    rule->hits++;
    return rule;
  }
  return NULL;
}

enum pubsub_status faults_describe(const struct faults *faults, struct pubsub_buf *out) {
  for (size_t i = 0; i < faults->count; i++) {
    const struct fault *rule = &faults->rules[i];
    char line[200];
    int len = snprintf(line, sizeof line, "%s %s probability=%g seen=%llu hits=%llu\n",
                       rule->method, kind_names[rule->kind], rule->probability,
                       (unsigned long long)rule->seen, (unsigned long long)rule->hits);
    enum pubsub_status status = pubsub_buf_append(out, line, (size_t)len);
    if (status != PUBSUB_OK) return status;
  }
  return PUBSUB_OK;
}
