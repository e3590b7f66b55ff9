#include "rpc/service.h"

const struct method *method_find(const struct method *const *tables, struct pubsub_view path) {
  for (; *tables; tables++) {
    for (const struct method *method = *tables; method->path; method++) {
      if (pubsub_view_equal(path, pubsub_view_str(method->path))) return method;
    }
  }
  return NULL;
}
