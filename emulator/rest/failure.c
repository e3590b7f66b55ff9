#include "rest/failure.h"

#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "json/printer.h"
#include "json/render.h"

static const struct {
  int http_status;
  const char *name;
} codes[] = {{200, "OK"},
             {499, "CANCELLED"},
             {500, "UNKNOWN"},
             {400, "INVALID_ARGUMENT"},
             {504, "DEADLINE_EXCEEDED"},
             {404, "NOT_FOUND"},
             {409, "ALREADY_EXISTS"},
             {403, "PERMISSION_DENIED"},
             {429, "RESOURCE_EXHAUSTED"},
             {400, "FAILED_PRECONDITION"},
             {409, "ABORTED"},
             {400, "OUT_OF_RANGE"},
             {501, "UNIMPLEMENTED"},
             {500, "INTERNAL"},
             {503, "UNAVAILABLE"},
             {500, "DATA_LOSS"},
             {401, "UNAUTHENTICATED"}};

static size_t index_of(int grpc_code) {
  return grpc_code >= 0 && grpc_code < (int)(sizeof codes / sizeof *codes) ? (size_t)grpc_code : 2;
}

int failure_status(int grpc_code) {
  return codes[index_of(grpc_code)].http_status;
}

/* {"@type": …, and the fields of what it is} */
static enum pubsub_status print_info(struct pubsub_buf *out, const Google__Protobuf__Any *any,
                                     const Google__Rpc__ErrorInfo *info) {
  struct pubsub_buf fields = {0};
  enum pubsub_status status = json_render(&fields, &info->base, false);
  if (status == PUBSUB_OK) status = json_print(out, "{\"@type\":");
  if (status == PUBSUB_OK) status = json_print_string(out, pubsub_view_str(any->type_url));
  if (status == PUBSUB_OK && fields.len > 2) status = json_print(out, ",");
  if (status == PUBSUB_OK) status = pubsub_buf_append(out, fields.ptr + 1, fields.len - 1);
  pubsub_buf_clear(&fields);
  return status;
}

/* Details of other types are left out: there are none. */
static enum pubsub_status print_detail(struct pubsub_buf *out, const Google__Protobuf__Any *any,
                                       bool *first) {
  const char *name = strrchr(any->type_url, '/');
  if (!name || strcmp(name + 1, "google.rpc.ErrorInfo") != 0) return PUBSUB_OK;
  Google__Rpc__ErrorInfo *info =
      google__rpc__error_info__unpack(NULL, any->value.len, any->value.data);
  if (!info) return PUBSUB_OK;
  enum pubsub_status status = json_print(out, *first ? ",\"details\":[" : ",");
  *first = false;
  if (status == PUBSUB_OK) status = print_info(out, any, info);
  google__rpc__error_info__free_unpacked(info, NULL);
  return status;
}

static enum pubsub_status print_details(struct pubsub_buf *out, struct pubsub_view details) {
  Google__Rpc__Status *told =
      details.len > 0 ? google__rpc__status__unpack(NULL, details.len, details.ptr) : NULL;
  enum pubsub_status status = PUBSUB_OK;
  bool first = true;
  for (size_t i = 0; told && i < told->n_details && status == PUBSUB_OK; i++)
    status = print_detail(out, told->details[i], &first);
  if (status == PUBSUB_OK && !first) status = json_print(out, "]");
  if (told) google__rpc__status__free_unpacked(told, NULL);
  return status;
}

enum pubsub_status failure_print(struct pubsub_buf *out, int http_status, int grpc_code,
                                 const char *message, struct pubsub_view details) {
  enum pubsub_status status = json_print(out, "{\"error\":{\"code\":");
  if (status == PUBSUB_OK) status = json_print_integer(out, http_status);
  if (status == PUBSUB_OK) status = json_print(out, ",\"message\":");
  if (status == PUBSUB_OK) status = json_print_string(out, pubsub_view_str(message));
  if (status == PUBSUB_OK) status = json_print(out, ",\"status\":\"");
  if (status == PUBSUB_OK) status = json_print(out, codes[index_of(grpc_code)].name);
  if (status == PUBSUB_OK) status = json_print(out, "\"");
  if (status == PUBSUB_OK) status = print_details(out, details);
  return status == PUBSUB_OK ? json_print(out, "}}\n") : status;
}
