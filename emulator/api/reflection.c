/* Server reflection, v1 and v1alpha, whose messages are the same: what grpcurl and its like ask
 * first. Read and written by hand; the descriptors are embedded (rpc/descriptors). */
#include "api/methods.h"
#include "api/resources.h"
#include "proto/wire.h"
#include "rpc/descriptors.h"

enum {
  BY_NAME = 3 << 3 | 2,
  BY_SYMBOL = 4 << 3 | 2,
  BY_EXTENSION = 5 << 3 | 2,
  EXTENSIONS_OF = 6 << 3 | 2,
  SERVICES = 7 << 3 | 2,
};
enum { VALID_HOST = 1 << 3 | 2, ORIGINAL = 2 << 3 | 2, FILES = 4 << 3 | 2, NUMBERS = 5 << 3 | 2 };
enum {
  LIST = 6 << 3 | 2,
  PROBLEM = 7 << 3 | 2,
  FIRST = 1 << 3 | 2,
  CODE = 1 << 3,
  TEXT = 2 << 3 | 2
};

/* A field of bytes. False: no memory. */
static bool put(struct pubsub_buf *out, uint64_t tag, struct pubsub_view value) {
  if (pubsub_buf_reserve(out, pubsub_wire_len_bytes(value.len) + 8) != PUBSUB_OK) return false;
  const uint8_t *end = pubsub_wire_write_bytes(out->ptr + out->len, tag, value.ptr, value.len);
  out->len = (size_t)(end - out->ptr);
  return true;
}

static bool put_files(struct pubsub_buf *out, int file) {
  bool good = true;
  for (const int *need = descriptor_files[file].needs; *need >= 0 && good; need++) {
    const struct descriptor_file *one = &descriptor_files[*need];
    good = put(out, FIRST, pubsub_view_of(one->bytes, one->len));
  }
  return good;
}

static bool put_services(struct pubsub_buf *out) {
  bool good = true;
  for (const char *const *name = descriptor_services; *name && good; name++) {
    struct pubsub_buf service = {0};
    good = put(&service, FIRST, pubsub_view_str(*name)) &&
           put(out, FIRST, pubsub_view_of(service.ptr, service.len));
    pubsub_buf_clear(&service);
  }
  return good;
}

static bool put_problem(struct pubsub_buf *out) {
  static const uint8_t not_found[] = {CODE, PUBSUB_GRPC_NOT_FOUND};
  return pubsub_buf_append(out, not_found, 2) == PUBSUB_OK &&
         put(out, TEXT, pubsub_view_str("there is no such file, symbol or extension"));
}

static int find_file(struct pubsub_view name) {
  for (int i = 0; descriptor_files[i].name; i++) {
    if (pubsub_view_equal(name, pubsub_view_str(descriptor_files[i].name))) return i;
  }
  return -1;
}

static int find_symbol(struct pubsub_view name) {
  for (const struct descriptor_symbol *symbol = descriptor_symbols; symbol->name; symbol++) {
    if (pubsub_view_equal(name, pubsub_view_str(symbol->name))) return symbol->file;
  }
  return -1;
}

/* The part of the response that answers; its tag, or 0: no memory. */
static uint64_t answer(const struct pubsub_wire_field *asked, struct pubsub_buf *out) {
  int file = asked->tag == BY_NAME     ? find_file(asked->value)
             : asked->tag == BY_SYMBOL ? find_symbol(asked->value)
                                       : -1;
  if (asked->tag == SERVICES) return put_services(out) ? LIST : 0;
  if (file >= 0) return put_files(out, file) ? FILES : 0;
  if (asked->tag == EXTENSIONS_OF && find_symbol(asked->value) >= 0) {
    return put(out, FIRST, asked->value) ? NUMBERS : 0; /* none: no client asks for ours */
  }
  return put_problem(out) ? PROBLEM : 0;
}

/* The last of its questions. False: malformed, or there is none. */
static bool read_question(const struct pubsub_buf *request, struct pubsub_wire_field *out) {
  const uint8_t *ptr = request->ptr, *end = ptr + request->len;
  struct pubsub_wire_field field;
  bool found = false;
  while (ptr && ptr < end) {
    ptr = pubsub_wire_field_read(ptr, end, &field);
    if (!ptr) return false;
    if (field.tag < BY_NAME || field.tag > SERVICES || (field.tag & 7) != 2) continue;
    *out = field;
    found = true;
  }
  return found;
}

static void on_question(struct call *call, struct pubsub_buf *take_request) {
  struct pubsub_buf part = {0}, response = {0};
  struct pubsub_wire_field asked;
  if (!read_question(take_request, &asked)) {
    call_fail(call, PUBSUB_GRPC_INVALID_ARGUMENT, "the request cannot be parsed");
    return;
  }
  uint64_t tag = answer(&asked, &part);
  struct pubsub_view original = pubsub_view_of(take_request->ptr, take_request->len);
  if (tag && put(&response, ORIGINAL, original) &&
      put(&response, tag, pubsub_view_of(part.ptr, part.len))) {
    struct pubsub_segment segment = pubsub_segment_from_buf(&response);
    call_send(call, &segment, 1);
  } else {
    pubsub_buf_clear(&response);
    fail_no_memory(call);
  }
  pubsub_buf_clear(&part);
}

static void on_half_close(struct call *call) {
  call_finish(call);
}

#define INFO(VERSION)                                                                              \
  {                                                                                                \
    .path = "/grpc.reflection." VERSION ".ServerReflection/ServerReflectionInfo",                  \
    .on_bytes = on_question, .on_half_close = on_half_close                                        \
  }

const struct method reflection_methods[] = {INFO("v1"), INFO("v1alpha"), {0}};
