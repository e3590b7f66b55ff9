#include "model/filter.h"

#include "base/alloc.h"
#include "proto/wire.h"
#include <ctype.h>

enum op { OP_HAS, OP_EQUAL, OP_UNEQUAL, OP_PREFIX, OP_NOT, OP_AND, OP_OR };

struct filter {
  enum op op;
  struct filter *left, *right;    /* of NOT (left), AND, OR */
  struct pubsub_buf key, literal; /* of the others */
};

struct parser {
  const char *at;
  const char *problem;
  int depth;
};

void filter_free(struct filter *filter) {
  if (!filter) return;
  filter_free(filter->left);
  filter_free(filter->right);
  pubsub_buf_clear(&filter->key);
  pubsub_buf_clear(&filter->literal);
  pubsub_free(filter);
}

static struct filter *fail(struct parser *parser, const char *problem) {
  if (!parser->problem) parser->problem = problem;
  return NULL;
}

static void skip_blanks(struct parser *parser) {
  while (isspace((unsigned char)*parser->at))
    parser->at++;
}

static bool is_word(char c) {
  return isalnum((unsigned char)c) || c == '_' || c == '-' || (unsigned char)c >= 0x80;
}

/* A keyword or a punctuation mark, if it is next. */
static bool take(struct parser *parser, const char *token) {
  size_t len = strlen(token);
  skip_blanks(parser);
  if (strncmp(parser->at, token, len) != 0) return false;
  if (is_word(token[0]) && token[0] != '-' && is_word(parser->at[len])) return false;
  parser->at += len;
  return true;
}

/* What stands for itself, and what a letter stands for. */
static int simple_escape(char c) {
  static const char letters[] = "abfnrtv\\?\"'`", values[] = "\a\b\f\n\r\t\v\\?\"'`";
  const char *at = c ? strchr(letters, c) : NULL;
  return at ? (unsigned char)values[at - letters] : -1;
}

static int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* So many digits of a base. False: there are not as many. */
static bool take_digits(struct parser *parser, int count, uint32_t base, uint32_t *out) {
  *out = 0;
  for (; count > 0; count--, parser->at++) {
    int digit = digit_of(*parser->at);
    if (digit < 0 || (uint32_t)digit >= base) return false;
    *out = *out * base + (uint32_t)digit;
  }
  return true;
}

/* The code point after a backslash. False: it is none. */
static bool take_escape(struct parser *parser, uint32_t *out) {
  char c = *parser->at;
  int simple = simple_escape(c);
  bool good;
  if (simple >= 0) {
    *out = (uint32_t)simple;
    parser->at++;
    return true;
  }
  if (c == 'x' || c == 'u' || c == 'U') {
    parser->at++;
    good = take_digits(parser, c == 'x' ? 2 : c == 'u' ? 4 : 8, 16, out);
  } else {
    good = take_digits(parser, 3, 8, out) && *out < 0x100;
  }
  return good && *out <= 0x10ffff && (*out < 0xd800 || *out > 0xdfff);
}

static size_t utf8(uint32_t code, uint8_t out[4]) {
  if (code < 0x80) {
    out[0] = (uint8_t)code;
    return 1;
  }
  size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = len; i-- > 1; code >>= 6)
    out[i] = (uint8_t)(0x80 | (code & 0x3f));
  out[0] = (uint8_t)(0xf00 >> len | code);
  return len;
}

/* "quoted", with escapes in it. */
static bool take_string(struct parser *parser, struct pubsub_buf *out) {
  skip_blanks(parser);
  if (*parser->at != '"') return false;
  parser->at++;
  while (*parser->at != '"') {
    uint8_t bytes[4] = {(uint8_t)*parser->at};
    size_t len = 1;
    uint32_t code;
    if (*parser->at == '\0') return false;
    if (*parser->at++ == '\\') {
      if (!take_escape(parser, &code)) {
        fail(parser, "a backslash in a string is not followed by one of \\ \" ' ` ? a b f n r t v, "
                     "three octal digits, xHH, uHHHH or UHHHHHHHH");
        return false;
      }
      len = utf8(code, bytes);
    }
    if (pubsub_buf_append(out, bytes, len) != PUBSUB_OK) return false;
  }
  parser->at++;
  return true;
}

static bool take_key(struct parser *parser, struct pubsub_buf *out) {
  skip_blanks(parser);
  if (*parser->at == '"') return take_string(parser, out);
  const char *start = parser->at;
  while (is_word(*parser->at))
    parser->at++;
  return parser->at > start &&
         pubsub_buf_append(out, start, (size_t)(parser->at - start)) == PUBSUB_OK;
}

static struct filter *node(struct parser *parser, enum op op, struct filter *left,
                           struct filter *right) {
  struct filter *filter = pubsub_alloc_zero(1, sizeof *filter);
  if (!filter) {
    filter_free(left);
    filter_free(right);
    return fail(parser, "out of memory");
  }
  *filter = (struct filter){.op = op, .left = left, .right = right};
  return filter;
}

static struct filter *drop(struct parser *parser, struct filter *filter, const char *problem) {
  filter_free(filter);
  return fail(parser, problem);
}

static struct filter *parse_prefix(struct parser *parser) {
  struct filter *filter = node(parser, OP_PREFIX, NULL, NULL);
  if (!filter) return NULL;
  if (take(parser, "(") && take(parser, "attributes") && take(parser, ".") &&
      take_key(parser, &filter->key) && take(parser, ",") &&
      take_string(parser, &filter->literal) && take(parser, ")")) {
    return filter;
  }
  return drop(parser, filter, "hasPrefix takes (attributes.KEY, \"PREFIX\")");
}

static struct filter *parse_attribute(struct parser *parser) {
  struct filter *filter = node(parser, OP_HAS, NULL, NULL);
  if (!filter) return NULL;
  if (take(parser, ":")) {
    return take_key(parser, &filter->key) ? filter
                                          : drop(parser, filter, "attributes: wants a key");
  }
  if (!take(parser, ".") || !take_key(parser, &filter->key)) {
    return drop(parser, filter, "attributes wants :KEY or .KEY");
  }
  if (take(parser, "!=")) {
    filter->op = OP_UNEQUAL;
  } else if (take(parser, "=")) {
    filter->op = OP_EQUAL;
  } else {
    return drop(parser, filter, "attributes.KEY wants = or !=");
  }
  return take_string(parser, &filter->literal)
             ? filter
             : drop(parser, filter, "a value must be a quoted string");
}

static struct filter *parse_any(struct parser *parser);

static struct filter *parse_one(struct parser *parser) {
  struct filter *filter;
  if (++parser->depth > 64) return fail(parser, "the filter is nested too deeply");
  if (take(parser, "NOT") || take(parser, "-")) {
    struct filter *inner = parse_one(parser);
    filter = inner ? node(parser, OP_NOT, inner, NULL) : NULL;
  } else if (take(parser, "(")) {
    filter = parse_any(parser);
    if (filter && !take(parser, ")")) filter = drop(parser, filter, "a parenthesis is not closed");
  } else if (take(parser, "hasPrefix")) {
    filter = parse_prefix(parser);
  } else if (take(parser, "attributes")) {
    filter = parse_attribute(parser);
  } else {
    filter = fail(parser, "expected attributes, hasPrefix, NOT or a parenthesis");
  }
  parser->depth--;
  return filter;
}

static struct filter *parse_any(struct parser *parser) {
  struct filter *filter = parse_one(parser);
  bool and_seen = false, or_seen = false;
  while (filter) {
    enum op op = take(parser, "AND") ? OP_AND : take(parser, "OR") ? OP_OR : OP_NOT;
    if (op == OP_NOT) break;
    and_seen = and_seen || op == OP_AND;
    or_seen = or_seen || op == OP_OR;
    if (and_seen && or_seen) return drop(parser, filter, "AND and OR need parentheses");
    struct filter *right = parse_one(parser);
    if (!right) return drop(parser, filter, NULL);
    filter = node(parser, op, filter, right);
  }
  return filter;
}

struct filter *filter_parse(const char *text, const char **problem) {
  struct parser parser = {.at = text};
  *problem = NULL;
  skip_blanks(&parser);
  if (*parser.at == '\0') return NULL;
  struct filter *filter = parse_any(&parser);
  skip_blanks(&parser);
  if (filter && *parser.at != '\0') filter = drop(&parser, filter, "unexpected text at its end");
  *problem = filter ? NULL : parser.problem;
  return filter;
}

/* ---- matching ---- */

static bool find_attribute(struct pubsub_view message, const struct pubsub_buf *wanted,
                           struct pubsub_view *out) {
  const uint8_t *ptr = message.ptr, *end = ptr + message.len;
  while (ptr && ptr < end) {
    struct pubsub_wire_field field, part;
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (!ptr || field.tag != (2 << 3 | 2)) continue;
    struct pubsub_view key = {0}, value = {0};
    const uint8_t *at = field.value.ptr, *stop = at + field.value.len;
    while (at && at < stop) {
      at = pubsub_wire_field_read(at, stop, &part);
      if (at && part.tag == (1 << 3 | 2)) key = part.value;
      if (at && part.tag == (2 << 3 | 2)) value = part.value;
    }
    if (pubsub_view_equal(key, pubsub_view_of(wanted->ptr, wanted->len))) {
      *out = value;
      return true;
    }
  }
  return false;
}

bool filter_matches(const struct filter *filter, struct pubsub_view message) {
  struct pubsub_view value;
  switch (filter->op) {
  case OP_NOT:
    return !filter_matches(filter->left, message);
  case OP_AND:
    return filter_matches(filter->left, message) && filter_matches(filter->right, message);
  case OP_OR:
    return filter_matches(filter->left, message) || filter_matches(filter->right, message);
  default:
    break;
  }
  bool has = find_attribute(message, &filter->key, &value);
  struct pubsub_view literal = pubsub_view_of(filter->literal.ptr, filter->literal.len);
  switch (filter->op) {
  case OP_HAS:
    return has;
  case OP_EQUAL:
    return has && pubsub_view_equal(value, literal);
  case OP_UNEQUAL: /* also where there is no such attribute */
    return !has || !pubsub_view_equal(value, literal);
  default:
    return has && value.len >= literal.len &&
           (literal.len == 0 || memcmp(value.ptr, literal.ptr, literal.len) == 0);
  }
}
