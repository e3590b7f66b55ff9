/*
 * What is answered over plain HTTP: who is welcome (http/admission), and which path leads where:
 * `/` and `/health` say Ok, `/metrics`, `/v1/reset` and `/ui` are in pages/, the rest is REST. Loop
 * thread only.
 */
#ifndef EMULATOR_FRONT_H
#define EMULATOR_FRONT_H

#include "http/admission.h"
#include "rest/rest.h"

struct front {
  struct site site;
  struct admission admission;
  struct rest rest;
  struct broker *broker;
  /* After everything was deleted: makes what the process was started with. False: *error says why
   * it cannot. May be NULL. */
  bool (*on_reset)(void *user, struct pubsub_error *error);
  void *reset_user;
};

/* `address`: that is listened on. */
void front_init(struct front *front, struct pubsub_loop *loop, const struct service *service,
                const char *address);
void front_clear(struct front *front); /* its connections are gone */

#endif
