#include "payload/json_reader.h"

#include "payload/ascii.h"
#include "payload/java_text.h"
#include "payload/json_scan.h"

static inline struct pubsub_json_level *level(struct pubsub_json *json) {
  return &json->levels[json->depth];
}

/* Most values stand behind no white space. */
static inline int skip_space(struct pubsub_json *json) {
  uint8_t c = json->ptr < json->end ? *json->ptr : 0;
  if (c <= ' ' || c == '/' || c >= 0x80) return pubsub_json_skip_space(json);
  json->ptr++;
  return c;
}

static bool in_object(const struct pubsub_json *json) {
  return json->depth > 0 && json->levels[json->depth].object;
}

void pubsub_json_init(struct pubsub_json *json, struct pubsub_view payload, uint32_t allow) {
  json->ptr = payload.ptr;
  json->end = payload.ptr + payload.len;
  json->payload_len = payload.len;
  json->allow = allow;
  json->token = json->next = PUBSUB_JSON_NONE;
  json->incomplete = json->out_of_memory = false;
  json->why = NULL;
  json->depth = 0;
  json->scratch.len = json->names.len = 0;
  json->levels[0] = (struct pubsub_json_level){0};
}

void pubsub_json_clear(struct pubsub_json *json) {
  pubsub_buf_clear(&json->scratch);
  pubsub_buf_clear(&json->names);
}

struct pubsub_view pubsub_json_name(const struct pubsub_json *json) {
  bool start = json->token == PUBSUB_JSON_START_OBJECT || json->token == PUBSUB_JSON_START_ARRAY;
  return json->levels[start && json->depth > 0 ? json->depth - 1 : json->depth].name;
}

/* Deeper than Jackson goes is malformed, and one level more all the same, as there. */
static bool open_level(struct pubsub_json *json, bool object) {
  if (json->depth < PUBSUB_JSON_DEPTH + 2) json->depth++;
  *level(json) = (struct pubsub_json_level){.object = object};
  if (json->depth > PUBSUB_JSON_DEPTH) return pubsub_json_fail(json, "nesting deeper than 1000");
  return true;
}

static bool close_level(struct pubsub_json *json, bool object) {
  if (json->depth == 0 || level(json)->object != object)
    return pubsub_json_fail(json,
                            object ? "a '}' where none may stand" : "a ']' where none may stand");
  json->depth--;
  json->token = object ? PUBSUB_JSON_END_OBJECT : PUBSUB_JSON_END_ARRAY;
  return true;
}

static bool after_name(struct pubsub_json *json) {
  enum pubsub_json_token token = json->next;
  json->next = PUBSUB_JSON_NONE;
  bool opens = token == PUBSUB_JSON_START_OBJECT || token == PUBSUB_JSON_START_ARRAY;
  if (opens && !open_level(json, token == PUBSUB_JSON_START_OBJECT)) return false;
  json->token = token;
  return true;
}

/* ---- values ---- */

static bool no_word(struct pubsub_json *json, size_t shown) {
  pubsub_json_pass_word(json, shown);
  return pubsub_json_fail(json, "a word that is no value");
}

/* The rest of a word, whose first characters have been taken. */
static bool match(struct pubsub_json *json, const char *word, size_t taken) {
  for (; word[taken]; taken++) {
    if (json->ptr == json->end || *json->ptr != (uint8_t)word[taken]) return no_word(json, taken);
    json->ptr++;
  }
  if (json->ptr == json->end) return true;
  int c = pubsub_json_peek(json);
  bool end = c < '0' || c == ']' || c == '}' || !pubsub_java_is_identifier_part(c);
  return end || no_word(json, taken);
}

static bool match_not_finite(struct pubsub_json *json, const char *word, size_t taken) {
  if (!match(json, word, taken)) return false;
  if (!(json->allow & PUBSUB_ALLOW_NON_NUMERIC_NUMBERS))
    return pubsub_json_fail(json, "a number that is not finite (it needs allowNonNumericNumbers)");
  json->text = pubsub_view_str(word);
  json->not_finite = true;
  return true;
}

/* Behind a sign: not a digit, taken. */
static bool signed_word(struct pubsub_json *json, bool negative, int c) {
  if (c == 'I' && json->ptr == json->end)
    return pubsub_json_fail(json, "a number that does not end");
  if (c == 'I') {
    c = pubsub_json_take(json);
    if (c == 'N') return match_not_finite(json, negative ? "-INF" : "+INF", 3);
    if (c == 'n') return match_not_finite(json, negative ? "-Infinity" : "+Infinity", 3);
  }
  return pubsub_json_fail(json, "a sign without a digit behind it");
}

static const uint8_t *digits(const uint8_t *ptr, const uint8_t *end) {
  while (ptr < end && pubsub_is_digit(*ptr))
    ptr++;
  return ptr;
}

/* Of leading zeros, the last stays only where no other digit follows. */
static bool pass_zeros(struct pubsub_json *json, const uint8_t **start) {
  const uint8_t *at = *start;
  if (json->end - at < 2 || *at != '0' || !pubsub_is_digit(at[1])) return true;
  if (!(json->allow & PUBSUB_ALLOW_LEADING_ZEROS)) {
    json->ptr = at + 1;
    return pubsub_json_fail(json, "a number with a leading zero");
  }
  while (json->end - at > 1 && *at == '0' && pubsub_is_digit(at[1]))
    at++;
  *start = at;
  return true;
}

/* Behind the integer part at `at`: fraction and exponent. NULL: malformed. */
static const uint8_t *fraction(struct pubsub_json *json, const uint8_t *at, size_t *count) {
  const uint8_t *from = at;
  bool point = at < json->end && *at == '.';
  if (point) {
    json->ptr = ++at;
    from = at;
    at = digits(at, json->end);
    *count += (size_t)(at - from);
    if (at == from)
      return pubsub_json_fail(json, "a decimal point without a digit behind it"), NULL;
  }
  if (at < json->end && (*at | 0x20) == 'e') {
    at++;
    if (!point) json->ptr = at;
    if (at < json->end && (*at == '-' || *at == '+')) at++;
    from = at;
    at = digits(at, json->end);
    *count += (size_t)(at - from);
    if (at == from) return pubsub_json_fail(json, "an exponent without a digit"), NULL;
  }
  return at;
}

/* The first digit is at start. */
static bool number(struct pubsub_json *json, const uint8_t *start, bool negative,
                   enum pubsub_json_token *out) {
  json->negative = negative;
  json->not_finite = false;
  if (!pass_zeros(json, &start)) return false;
  const uint8_t *at = digits(start, json->end);
  size_t count = (size_t)(at - start);
  *out = PUBSUB_JSON_INT;
  if (at < json->end && (*at == '.' || (*at | 0x20) == 'e')) {
    *out = PUBSUB_JSON_FLOAT;
    at = fraction(json, at, &count);
    if (!at) return false;
  }
  json->ptr = at;
  json->text = pubsub_view_of(start, (size_t)(at - start));
  if (count > PUBSUB_JSON_DIGITS)
    return pubsub_json_fail(json, "a number of more than 1000 digits");
  return true;
}

static bool negative_number(struct pubsub_json *json, enum pubsub_json_token *out) {
  *out = PUBSUB_JSON_FLOAT;
  json->negative = true;
  if (json->ptr == json->end) return pubsub_json_fail(json, "a sign without a digit behind it");
  if (pubsub_is_digit(*json->ptr)) return number(json, json->ptr, true, out);
  return signed_word(json, true, pubsub_json_take(json));
}

static bool odd_value(struct pubsub_json *json, int c, enum pubsub_json_token *out) {
  json->negative = false;
  *out = PUBSUB_JSON_FLOAT;
  switch (c) {
  case '\'':
    if (!(json->allow & PUBSUB_ALLOW_SINGLE_QUOTES)) break;
    *out = PUBSUB_JSON_STRING;
    return pubsub_json_quoted(json, '\'', &json->scratch, &json->text);
  case 'N':
    return match_not_finite(json, "NaN", 1);
  case 'I':
    return match_not_finite(json, "Infinity", 1);
  case '+':
    if (json->ptr == json->end) return pubsub_json_fail(json, "a number that does not end");
    return signed_word(json, false, pubsub_json_take(json));
  default:
    if (pubsub_java_is_identifier_start(c)) return no_word(json, 1);
  }
  return pubsub_json_fail(json, "a character where a value is expected");
}

/* Its first character is taken. Objects and arrays are not opened here. */
static bool value(struct pubsub_json *json, int c, enum pubsub_json_token *out) {
  switch (c) {
  case '"':
    json->incomplete = true;
    *out = PUBSUB_JSON_STRING;
    return true;
  case '{':
    *out = PUBSUB_JSON_START_OBJECT;
    return true;
  case '[':
    *out = PUBSUB_JSON_START_ARRAY;
    return true;
  case 't':
    *out = PUBSUB_JSON_TRUE;
    return match(json, "true", 1);
  case 'f':
    *out = PUBSUB_JSON_FALSE;
    return match(json, "false", 1);
  case 'n':
    *out = PUBSUB_JSON_NULL;
    return match(json, "null", 1);
  case '-':
    return negative_number(json, out);
  default:
    return pubsub_is_digit(c) ? number(json, json->ptr - 1, false, out) : odd_value(json, c, out);
  }
}

/* ---- structure ---- */

/* Of a name without quotes. */
static bool is_bare(int c) {
  return c == '@' || c == '#' || c == '*' || c == '-' || c == '+' ||
         (c > ' ' && pubsub_java_is_identifier_part(c));
}

/* Without quotes; its first character is taken. */
static bool bare_name(struct pubsub_json *json, int c, struct pubsub_view *out) {
  const uint8_t *start = json->ptr - (c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4);
  if (!(json->allow & PUBSUB_ALLOW_UNQUOTED_NAMES))
    return pubsub_json_fail(json, "a field's name without quotes");
  if (!is_bare(c) || pubsub_is_digit(c))
    return pubsub_json_fail(json, "a character where a field's name is expected");
  while (json->ptr < json->end && is_bare(pubsub_json_peek(json)))
    pubsub_json_take(json);
  *out = pubsub_view_of(start, (size_t)(json->ptr - start));
  return true;
}

static bool name(struct pubsub_json *json, int c, struct pubsub_view *out) {
  if (c == '"') return pubsub_json_quoted(json, '"', &json->names, out);
  if (c == '\'' && json->allow & PUBSUB_ALLOW_SINGLE_QUOTES)
    return pubsub_json_quoted(json, '\'', &json->names, out);
  return bare_name(json, c, out);
}

/* The character behind, taken; BAD: malformed. */
static int skip_colon(struct pubsub_json *json) {
  int c = skip_space(json);
  if (c == PUBSUB_JSON_BAD) return c;
  if (c != ':') {
    json->why = "a field's name without a colon behind it";
    return PUBSUB_JSON_BAD;
  }
  c = skip_space(json);
  if (c == PUBSUB_JSON_EOF) json->why = "a field without its value";
  return c == PUBSUB_JSON_EOF ? PUBSUB_JSON_BAD : c;
}

static bool field(struct pubsub_json *json, int c) {
  struct pubsub_view found;
  if (!name(json, c, &found)) return false;
  level(json)->name = found;
  json->token = PUBSUB_JSON_FIELD_NAME;
  json->next = PUBSUB_JSON_NONE;
  c = skip_colon(json);
  if (c == PUBSUB_JSON_BAD) return false;
  enum pubsub_json_token token;
  if (!value(json, c, &token)) return false;
  json->next = token;
  return true;
}

static bool element(struct pubsub_json *json, int c) {
  enum pubsub_json_token token;
  if (!value(json, c, &token)) return false;
  bool opens = token == PUBSUB_JSON_START_OBJECT || token == PUBSUB_JSON_START_ARRAY;
  if (opens && !open_level(json, token == PUBSUB_JSON_START_OBJECT)) return false;
  json->token = token;
  return true;
}

static bool at_end(struct pubsub_json *json) {
  if (json->depth > 0) return pubsub_json_fail(json, "it ends within an object or array");
  json->token = PUBSUB_JSON_NONE;
  return true;
}

bool pubsub_json_next(struct pubsub_json *json) {
  if (json->token == PUBSUB_JSON_FIELD_NAME) return after_name(json);
  if (json->incomplete && !pubsub_json_pass_string(json)) return false;
  int c = skip_space(json);
  if (c == PUBSUB_JSON_EOF) return at_end(json);
  if (c == PUBSUB_JSON_BAD) return false;
  if (c == ']' || c == '}') return close_level(json, c == '}');
  bool comma = level(json)->started && json->depth > 0;
  level(json)->started = true;
  if (comma) {
    if (c != ',') return pubsub_json_fail(json, "two values without a comma between them");
    c = skip_space(json);
    if (c == PUBSUB_JSON_EOF) return pubsub_json_fail(json, "it ends behind a comma");
    if (c == PUBSUB_JSON_BAD) return false;
  }
  return in_object(json) ? field(json, c) : element(json, c);
}

bool pubsub_json_finish_string(struct pubsub_json *json) {
  if (!json->incomplete) return true;
  json->incomplete = false;
  return pubsub_json_quoted(json, '"', &json->scratch, &json->text);
}

bool pubsub_json_skip_children(struct pubsub_json *json) {
  if (json->token != PUBSUB_JSON_START_OBJECT && json->token != PUBSUB_JSON_START_ARRAY)
    return true;
  for (uint32_t open = 1; open > 0;) {
    if (!pubsub_json_next(json)) return false;
    switch (json->token) {
    case PUBSUB_JSON_START_OBJECT:
    case PUBSUB_JSON_START_ARRAY:
      open++;
      break;
    case PUBSUB_JSON_END_OBJECT:
    case PUBSUB_JSON_END_ARRAY:
      open--;
      break;
    case PUBSUB_JSON_NONE:
      return json->depth > 0 ? pubsub_json_fail(json, "it ends within an object or array") : true;
    default:
      break;
    }
  }
  return true;
}
