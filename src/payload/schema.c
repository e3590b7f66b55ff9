#include "payload/schema.h"

#include "payload/ascii.h"
#include "base/alloc.h"
#include "base/error.h"
#include <stdio.h>
#include <strings.h>

/* Where the parser is. One error ends it. */
struct parser {
  const uint8_t *ptr, *end;
  uint32_t nodes;
  struct pubsub_error *error;
};

static enum pubsub_status parse_type(struct parser *p, uint32_t depth, struct pubsub_schema *out);

static const struct {
  const char *name;
  enum pubsub_type type;
} names[] = {
    {"BOOLEAN", PUBSUB_TYPE_BOOLEAN},
    {"TINYINT", PUBSUB_TYPE_BYTE},
    {"BYTE", PUBSUB_TYPE_BYTE},
    {"SMALLINT", PUBSUB_TYPE_SHORT},
    {"SHORT", PUBSUB_TYPE_SHORT},
    {"INT", PUBSUB_TYPE_INT},
    {"INTEGER", PUBSUB_TYPE_INT},
    {"BIGINT", PUBSUB_TYPE_LONG},
    {"LONG", PUBSUB_TYPE_LONG},
    {"FLOAT", PUBSUB_TYPE_FLOAT},
    {"REAL", PUBSUB_TYPE_FLOAT},
    {"DOUBLE", PUBSUB_TYPE_DOUBLE},
    {"DECIMAL", PUBSUB_TYPE_DECIMAL},
    {"DEC", PUBSUB_TYPE_DECIMAL},
    {"NUMERIC", PUBSUB_TYPE_DECIMAL},
    {"DATE", PUBSUB_TYPE_DATE},
    {"TIMESTAMP", PUBSUB_TYPE_TIMESTAMP},
    {"TIMESTAMP_LTZ", PUBSUB_TYPE_TIMESTAMP},
    {"TIMESTAMP_NTZ", PUBSUB_TYPE_TIMESTAMP_NTZ},
    {"STRING", PUBSUB_TYPE_STRING},
    {"BINARY", PUBSUB_TYPE_BINARY},
    {"ARRAY", PUBSUB_TYPE_ARRAY},
    {"MAP", PUBSUB_TYPE_MAP},
    {"STRUCT", PUBSUB_TYPE_STRUCT},
};

const char *pubsub_type_name(enum pubsub_type type) {
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (names[i].type == type) return names[i].name;
  }
  return "?";
}

static enum pubsub_status wrong(struct parser *p, const char *expected) {
  int left = (int)(p->end - p->ptr);
  return pubsub_error_set(p->error, PUBSUB_E_INVALID,
                          "the schema is not understood: %s is expected at '%.*s'", expected,
                          left > 40 ? 40 : left, (const char *)p->ptr);
}

static void skip_space(struct parser *p) {
  while (p->ptr < p->end && (*p->ptr == ' ' || (*p->ptr >= '\t' && *p->ptr <= '\r')))
    p->ptr++;
}

static bool take(struct parser *p, char c) {
  skip_space(p);
  if (p->ptr == p->end || *p->ptr != (uint8_t)c) return false;
  p->ptr++;
  return true;
}

static bool is_word(uint8_t c) {
  return pubsub_is_letter(c) || pubsub_is_digit(c) || c == '_' || c >= 0x80;
}

/* Empty: there is none. */
static struct pubsub_view word(struct parser *p) {
  skip_space(p);
  const uint8_t *start = p->ptr;
  while (p->ptr < p->end && is_word(*p->ptr))
    p->ptr++;
  return pubsub_view_of(start, (size_t)(p->ptr - start));
}

static bool take_word(struct parser *p, const char *text) {
  const uint8_t *start = p->ptr;
  struct pubsub_view found = word(p);
  if (found.len == strlen(text) && strncasecmp((const char *)found.ptr, text, found.len) == 0)
    return true;
  p->ptr = start;
  return false;
}

/* Between backquotes, where a doubled one is one. */
static size_t unquote(struct parser *p, uint8_t *out) {
  size_t len = 0;
  for (; p->ptr < p->end; p->ptr++) {
    if (*p->ptr == '`' && (p->ptr + 1 == p->end || p->ptr[1] != '`')) break;
    if (*p->ptr == '`') p->ptr++;
    out[len++] = *p->ptr;
  }
  return len;
}

static enum pubsub_status parse_name(struct parser *p, struct pubsub_view *out) {
  skip_space(p);
  bool quoted = p->ptr < p->end && *p->ptr == '`';
  struct pubsub_view bare = quoted ? pubsub_view_of(NULL, 0) : word(p);
  if (!quoted && bare.len == 0) return wrong(p, "a field's name");
  uint8_t *copy = pubsub_alloc(quoted ? (size_t)(p->end - p->ptr) : bare.len);
  if (!copy) return pubsub_error_set(p->error, PUBSUB_E_NOMEM, "no memory for a schema");
  out->ptr = copy;
  if (!quoted) {
    memcpy(copy, bare.ptr, bare.len);
    out->len = bare.len;
    return PUBSUB_OK;
  }
  p->ptr++;
  out->len = unquote(p, copy);
  return take(p, '`') ? PUBSUB_OK : wrong(p, "a closing `");
}

static uint32_t hash(struct pubsub_view name) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < name.len; i++)
    h = (h ^ name.ptr[i]) * 16777619u;
  return h ^ h >> 15;
}

/* The names of a struct; a name that comes twice is refused. */
static enum pubsub_status index_fields(struct parser *p, struct pubsub_schema *schema) {
  uint32_t size = 4;
  while (size < 2 * schema->count)
    size *= 2;
  schema->table = pubsub_alloc_zero(size, sizeof *schema->table);
  if (!schema->table) return pubsub_error_set(p->error, PUBSUB_E_NOMEM, "no memory for a schema");
  schema->table_mask = size - 1;
  for (uint32_t i = 0; i < schema->count; i++) {
    struct pubsub_view name = schema->children[i].name;
    if (pubsub_schema_find(schema, name, UINT32_MAX) >= 0) {
      return pubsub_error_set(p->error, PUBSUB_E_INVALID, "the schema names the field '%.*s' twice",
                              name.len > 100 ? 100 : (int)name.len, (const char *)name.ptr);
    }
    uint32_t at = hash(name) & schema->table_mask;
    while (schema->table[at])
      at = (at + 1) & schema->table_mask;
    schema->table[at] = i + 1;
  }
  return PUBSUB_OK;
}

/* Names are short: comparing them is cheaper than a call that could. */
static inline bool same(struct pubsub_view a, struct pubsub_view b) {
  uint64_t x, y;
  if (a.len != b.len) return false;
  for (; a.len >= 8; a.ptr += 8, b.ptr += 8, a.len -= 8) {
    memcpy(&x, a.ptr, 8);
    memcpy(&y, b.ptr, 8);
    if (x != y) return false;
  }
  for (size_t i = 0; i < a.len; i++) {
    if (a.ptr[i] != b.ptr[i]) return false;
  }
  return true;
}

int32_t pubsub_schema_find(const struct pubsub_schema *schema, struct pubsub_view name,
                           uint32_t hint) {
  if (hint < schema->count && same(schema->children[hint].name, name)) return (int32_t)hint;
  uint32_t at = hash(name) & schema->table_mask;
  for (; schema->table[at]; at = (at + 1) & schema->table_mask) {
    uint32_t found = schema->table[at] - 1;
    if (same(schema->children[found].name, name)) return (int32_t)found;
  }
  return -1;
}

/* Room for one more child, zeroed; NULL: no memory, or too many. */
static struct pubsub_schema *add_child(struct parser *p, struct pubsub_schema *schema) {
  if (++p->nodes > PUBSUB_SCHEMA_NODES) return NULL;
  if ((schema->count & (schema->count + 1)) == 0) {
    size_t room = 2 * ((size_t)schema->count + 1);
    struct pubsub_schema *more = pubsub_realloc(schema->children, room * sizeof *more);
    if (!more) return NULL;
    schema->children = more;
  }
  struct pubsub_schema *child = &schema->children[schema->count++];
  memset(child, 0, sizeof *child);
  return child;
}

static enum pubsub_status full(struct parser *p) {
  if (p->nodes <= PUBSUB_SCHEMA_NODES)
    return pubsub_error_set(p->error, PUBSUB_E_NOMEM, "no memory for a schema");
  return pubsub_error_set(p->error, PUBSUB_E_INVALID, "the schema has more than %d fields",
                          PUBSUB_SCHEMA_NODES);
}

/* NOT NULL and COMMENT '…' mean nothing here: what is decoded may always be null. */
static enum pubsub_status skip_attributes(struct parser *p) {
  if (take_word(p, "NOT") && !take_word(p, "NULL")) return wrong(p, "NULL after NOT");
  if (!take_word(p, "COMMENT")) return PUBSUB_OK;
  skip_space(p);
  uint8_t quote = p->ptr < p->end ? *p->ptr : 0;
  if (quote != '\'' && quote != '"') return wrong(p, "a comment in quotes");
  for (p->ptr++; p->ptr < p->end && *p->ptr != quote; p->ptr++) {
    if (*p->ptr == '\\' && p->ptr + 1 < p->end) p->ptr++;
  }
  return take(p, (char)quote) ? PUBSUB_OK : wrong(p, "the end of a comment");
}

static enum pubsub_status parse_fields(struct parser *p, uint32_t depth, char end,
                                       struct pubsub_schema *out) {
  out->type = PUBSUB_TYPE_STRUCT;
  skip_space(p);
  bool none = end ? take(p, end) : p->ptr == p->end;
  while (!none) {
    struct pubsub_schema *child = add_child(p, out);
    if (!child) return full(p);
    enum pubsub_status status = parse_name(p, &child->name);
    if (status != PUBSUB_OK) return status;
    take(p, ':');
    status = parse_type(p, depth + 1, child);
    if (status == PUBSUB_OK) status = skip_attributes(p);
    if (status != PUBSUB_OK) return status;
    out->delicate |= child->delicate;
    if (take(p, ',')) continue;
    skip_space(p);
    if (end ? !take(p, end) : p->ptr != p->end) return wrong(p, "',' or the end of the fields");
    none = true;
  }
  return index_fields(p, out);
}

static enum pubsub_status parse_elements(struct parser *p, uint32_t depth, uint32_t count,
                                         struct pubsub_schema *out) {
  if (!take(p, '<')) return wrong(p, "<");
  for (uint32_t i = 0; i < count; i++) {
    struct pubsub_schema *child = add_child(p, out);
    if (!child) return full(p);
    if (i > 0 && !take(p, ',')) return wrong(p, "','");
    enum pubsub_status status = parse_type(p, depth + 1, child);
    if (status != PUBSUB_OK) return status;
    out->delicate |= child->delicate;
  }
  if (out->type == PUBSUB_TYPE_MAP && out->children[0].type != PUBSUB_TYPE_STRING)
    return pubsub_error_set(p->error, PUBSUB_E_INVALID,
                            "a MAP has a key of type %s: JSON has none but STRING",
                            pubsub_type_name(out->children[0].type));
  return take(p, '>') ? PUBSUB_OK : wrong(p, ">");
}

static bool number(struct parser *p, uint8_t max, uint8_t *out) {
  struct pubsub_view digits = word(p);
  uint32_t value = 0;
  for (size_t i = 0; i < digits.len; i++) {
    if (!pubsub_is_digit(digits.ptr[i]) || value > 99) return false;
    value = value * 10 + (digits.ptr[i] - '0');
  }
  *out = (uint8_t)value;
  return digits.len > 0 && value <= max;
}

static enum pubsub_status parse_decimal(struct parser *p, struct pubsub_schema *out) {
  out->precision = 10;
  if (!take(p, '(')) return PUBSUB_OK;
  bool ok = number(p, 38, &out->precision) && out->precision > 0;
  if (ok && take(p, ',')) ok = number(p, out->precision, &out->scale);
  return ok && take(p, ')') ? PUBSUB_OK : wrong(p, "a precision of 1 to 38 and a scale");
}

static enum pubsub_status parse_type(struct parser *p, uint32_t depth, struct pubsub_schema *out) {
  if (depth > PUBSUB_SCHEMA_DEPTH)
    return pubsub_error_set(p->error, PUBSUB_E_INVALID, "the schema nests deeper than %d",
                            PUBSUB_SCHEMA_DEPTH);
  struct pubsub_view found = word(p);
  size_t i = 0;
  while (i < sizeof names / sizeof *names &&
         (found.len != strlen(names[i].name) ||
          strncasecmp((const char *)found.ptr, names[i].name, found.len) != 0))
    i++;
  if (found.len == 0) return wrong(p, "a type");
  if (i == sizeof names / sizeof *names)
    return pubsub_error_set(p->error, PUBSUB_E_INVALID,
                            "the schema has a field of type %.*s: this type is not supported",
                            found.len > 60 ? 60 : (int)found.len, (const char *)found.ptr);
  out->type = names[i].type;
  out->delicate = out->type == PUBSUB_TYPE_ARRAY || out->type == PUBSUB_TYPE_BINARY;
  switch (out->type) {
  case PUBSUB_TYPE_DECIMAL:
    return parse_decimal(p, out);
  case PUBSUB_TYPE_ARRAY:
    return parse_elements(p, depth, 1, out);
  case PUBSUB_TYPE_MAP:
    return parse_elements(p, depth, 2, out);
  case PUBSUB_TYPE_STRUCT:
    return take(p, '<') ? parse_fields(p, depth, '>', out) : wrong(p, "<");
  default:
    return PUBSUB_OK;
  }
}

enum pubsub_status pubsub_schema_parse(struct pubsub_view ddl, struct pubsub_schema *out,
                                       struct pubsub_error *error) {
  struct parser p = {.ptr = ddl.ptr, .end = ddl.ptr + ddl.len, .error = error};
  memset(out, 0, sizeof *out);
  return parse_fields(&p, 0, 0, out);
}

void pubsub_schema_clear(struct pubsub_schema *schema) {
  for (uint32_t i = 0; i < schema->count; i++)
    pubsub_schema_clear(&schema->children[i]);
  pubsub_free((void *)(uintptr_t)schema->name.ptr);
  pubsub_free(schema->children);
  pubsub_free(schema->table);
  memset(schema, 0, sizeof *schema);
}

size_t pubsub_schema_nodes(const struct pubsub_schema *schema) {
  size_t nodes = 1;
  for (uint32_t i = 0; i < schema->count; i++)
    nodes += pubsub_schema_nodes(&schema->children[i]);
  return nodes;
}
