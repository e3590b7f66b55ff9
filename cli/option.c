#include "option.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

const struct cli_option cli_option_table[] = {
    {"topic", 't', "TOPIC", "of the subscription", false},
    {"ack-deadline", 'd', "SECONDS", "10 to 600; the service's default is 10", false},
    {"retention", 'R', "SECONDS", "keep messages for so long: 600 to 2678400", false},
    {"retain-acked", 'A', NULL, "keep acknowledged messages too, for a later seek", false},
    {"no-retain-acked", 'N', NULL, "do not", false},
    {"exactly-once", 'E', NULL, "deliver exactly once", false},
    {"no-exactly-once", 'O', NULL, "deliver at least once", false},
    {"ordering", 'o', NULL, "deliver messages with an ordering key in their order", false},
    {"filter", 'F', "FILTER", "deliver only these: 'attributes:origin = \"web\"'", false},
    {"snapshot", 'g', "SNAPSHOT", "seek to what was acknowledged when it was made", false},
    {"time", 'u', "TIME", "seek to 2026-01-31T08:00:00Z, to now, or back by -30m, -2h, -1d", false},
    {"message", 'm', "TEXT", "publish this", false},
    {"file", 'f', "FILE", "publish the content of a file, as one message", false},
    {"attribute", 'a', "KEY=VALUE", "of each message; may be repeated", false},
    {"ordering-key", 'k', "KEY", "of each message", false},
    {"count", 'n', "N", "how many messages", false},
    {"size", 's', "BYTES", "of each message", false},
    {"start", 'b', "N", "the number of the first message that --count makes", false},
    {"rate", 'r', "N", "messages a second of those that --count makes", false},
    {"batch-bytes", 'B', "BYTES", "of a publish request", false},
    {"gzip", 'z', NULL, "compress publish requests above 240 bytes", false},
    {"max", 'x', "N", "end after so many messages (default 1)", false},
    {"wait", 'W', "SECONDS",
     "end after so long (default: 10 for the first message, then 1 without another)", false},
    {"json", 'j', NULL, "an object a line; data as base64", false},
    {"text", 'Y', NULL, "with --json: data as text; what is no UTF-8 becomes U+FFFD", false},
    {"streams", 'S', "N", "StreamingPulls at once", false},
    {"warmup", 'w', "N", "messages before the measuring begins", false},
    {"columns", 'C', "all|data|none", "what is decoded (default all)", false},
    {"project", 'p', "PROJECT", "of short names (default: PUBSUB_PROJECT_ID, GOOGLE_CLOUD_PROJECT)",
     true},
    {"endpoint", 'e', "HOST:PORT", "default: PUBSUB_EMULATOR_HOST, without TLS; else the service",
     true},
    {"plaintext", 'P', NULL, "no TLS: emulators only", true},
    {"ca-file", 'c', "FILE", "trust these CA certificates instead of the system's", true},
    {"proxy", 'X', "URL", "http://user:password@host:port; default: HTTPS_PROXY, NO_PROXY", true},
    {"keepalive-ms", 'K', "N", "test a silent stream or connection after so long (30000)", true},
    {"credentials", 'D', "FILE",
     "a key file; default: the application default credentials, as gcloud's", true},
    {"access-token-file", 'T', "FILE", "or the environment variable PUBSUB_ACCESS_TOKEN", true},
    {"help", 'h', NULL, "how to use a command", true},
    {"version", 'v', NULL, "the version", true},
    {0}};

#define OPTION_COUNT (sizeof cli_option_table / sizeof *cli_option_table)

/* Edit distance, for the suggestion of an option's name. */
static size_t distance(const char *a, const char *b) {
  size_t row[64], len = strlen(b);
  if (len > 62) return 99;
  for (size_t j = 0; j <= len; j++)
    row[j] = j;
  for (size_t i = 1; *a; a++, i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= len; j++) {
      size_t above = row[j], best = diagonal + (*a != b[j - 1]);
      if (above + 1 < best) best = above + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      diagonal = above;
      row[j] = best;
    }
  }
  return row[len];
}

static int unknown(const char *given) {
  const char *best = NULL;
  size_t best_distance = 4;
  for (const struct cli_option *option = cli_option_table; given && option->name; option++) {
    size_t d = distance(given + (strncmp(given, "--", 2) == 0 ? 2 : 0), option->name);
    if (d < best_distance) {
      best_distance = d;
      best = option->name;
    }
  }
  if (best && best_distance > 0) {
    fprintf(stderr, "pubsub: unknown option '%s'; did you mean '--%s'?\n", given, best);
  } else {
    fprintf(stderr, "pubsub: unknown option, or its value is missing: '%s'\n", given ? given : "");
  }
  return -1;
}

/* Counts may be large; what the library has in 32 bits may not. */
static unsigned long largest(int code) {
  if (code == 's') return 10000000; /* of a message */
  return strchr("nbrxw", code) ? 1000000000000000ul : UINT32_MAX;
}

static bool take_number(int code, const char *text, unsigned long *out) {
  char *end;
  errno = 0;
  *out = strtoul(text, &end, 10);
  if (*text < '0' || *text > '9' || *end != '\0') {
    fprintf(stderr, "pubsub: '%s' is not a number\n", text);
    return false;
  }
  if (*out == 0 && (code == 'x' || code == 'W')) {
    fprintf(stderr, "pubsub: '%s' is too small: 1 or more\n", text);
    return false;
  }
  if (errno == 0 && *out <= largest(code)) return true;
  fprintf(stderr, "pubsub: '%s' is more than %lu\n", text, largest(code));
  return false;
}

static bool take_attribute(struct cli_options *out, const char *text) {
  if (strchr(text, '=') && out->attribute_count < CLI_MAX_ATTRIBUTES) {
    out->attributes[out->attribute_count++] = text;
    return true;
  }
  fprintf(stderr, "pubsub: --attribute wants KEY=VALUE, at most %d times\n", CLI_MAX_ATTRIBUTES);
  return false;
}

/* Where an option of text, a number or a flag goes; all NULL: elsewhere. */
struct place {
  const char **text;
  unsigned long *number;
  bool *flag;
};

static struct place place_of(struct cli_options *o, int code) {
  const struct {
    int code;
    struct place place;
  } places[] = {{'p', {.text = &o->project}},
                {'e', {.text = &o->endpoint}},
                {'c', {.text = &o->ca_file}},
                {'T', {.text = &o->token_file}},
                {'D', {.text = &o->credentials}},
                {'X', {.text = &o->proxy}},
                {'t', {.text = &o->topic}},
                {'m', {.text = &o->message}},
                {'f', {.text = &o->file}},
                {'k', {.text = &o->ordering_key}},
                {'C', {.text = &o->columns}},
                {'F', {.text = &o->filter}},
                {'g', {.text = &o->snapshot}},
                {'u', {.text = &o->time}},
                {'n', {.number = &o->count}},
                {'s', {.number = &o->size}},
                {'b', {.number = &o->start}},
                {'r', {.number = &o->rate}},
                {'B', {.number = &o->batch_bytes}},
                {'x', {.number = &o->max}},
                {'d', {.number = &o->ack_deadline}},
                {'R', {.number = &o->retention}},
                {'W', {.number = &o->wait}},
                {'S', {.number = &o->streams}},
                {'w', {.number = &o->warmup}},
                {'K', {.number = &o->keepalive_ms}},
                {'j', {.flag = &o->json}},
                {'Y', {.flag = &o->text}},
                {'P', {.flag = &o->plaintext}},
                {'z', {.flag = &o->gzip}},
                {'o', {.flag = &o->ordering}},
                {'E', {.flag = &o->exactly_once}},
                {'O', {.flag = &o->no_exactly_once}},
                {'A', {.flag = &o->retain_acked}},
                {'N', {.flag = &o->no_retain_acked}},
                {'h', {.flag = &o->help}},
                {'v', {.flag = &o->version}}};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    if (places[i].code == code) return places[i].place;
  }
  return (struct place){0};
}

static bool take(struct cli_options *out, int code, const char *argument) {
  struct place place = place_of(out, code);
  if (place.text) *place.text = argument;
  if (place.flag) *place.flag = true;
  if (place.number) return take_number(code, argument, place.number);
  return code == 'a' ? take_attribute(out, argument) : true;
}

/* "--endpoint --plaintext": the next option was taken for this one's value. */
static bool is_option(int code, const char *argument) {
  const struct cli_option *taken = cli_option_table, *option = cli_option_table;
  if (!argument || strncmp(argument, "--", 2) != 0) return false;
  while (option->name && strcmp(option->name, argument + 2) != 0)
    option++;
  while (taken->name && taken->code != code)
    taken++;
  if (!option->name || !taken->name) return false;
  fprintf(stderr, "pubsub: --%s wants a value (%s), and %s is an option\n", taken->name,
          taken->argument, argument);
  return true;
}

int cli_option_parse(int argc, char **argv, struct cli_options *out, char given[128]) {
  struct option names[OPTION_COUNT] = {0};
  int code;
  size_t count = 0;
  for (size_t i = 0; cli_option_table[i].name; i++) {
    names[i] = (struct option){cli_option_table[i].name,
                               cli_option_table[i].argument ? required_argument : no_argument, NULL,
                               cli_option_table[i].code};
  }
  opterr = 0;
  while ((code = getopt_long(argc, argv, "h", names, NULL)) != -1) {
    if (code == '?') return unknown(argv[optind - 1]);
    if (is_option(code, optarg) || !take(out, code, optarg)) return -1;
    if (count < 127) given[count++] = (char)code;
  }
  given[count] = '\0';
  return optind;
}

bool cli_option_belongs(const struct cli_command *command, const struct cli_option *option) {
  return option->common || strchr(command->options, option->code) != NULL;
}

bool cli_option_check(const struct cli_command *command, const char *given) {
  for (const struct cli_option *option = cli_option_table; option->name; option++) {
    if (!strchr(given, option->code) || cli_option_belongs(command, option)) continue;
    fprintf(stderr, "pubsub: --%s is no option of 'pubsub %s'; see: pubsub %s --help\n",
            option->name, command->name, command->name);
    return false;
  }
  return true;
}
