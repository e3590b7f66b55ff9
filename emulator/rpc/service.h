/* What the fronts serve: methods, and who looks at calls before them. Given by server.c. */
#ifndef EMULATOR_RPC_SERVICE_H
#define EMULATOR_RPC_SERVICE_H

#include "rpc/call.h"

struct service {
  const struct method *const *tables; /* each ends with path NULL; the last table is NULL */
  struct broker *broker;              /* of every call */
  /* Sees a call's first message before its method. False: the method is not to be called (now).
   * May be NULL. */
  bool (*intercept)(struct call *call, struct pubsub_view request);
  /* Looks at a call's headers; `authorization` is borrowed, empty where there is none. NULL: the
   * call is welcome; otherwise why it is answered UNAUTHENTICATED. May be NULL. */
  const char *(*admit)(struct broker *broker, const struct method *method,
                       struct pubsub_view authorization);
};

/* The method of a path. NULL: there is none. */
const struct method *method_find(const struct method *const *tables, struct pubsub_view path);

#endif
