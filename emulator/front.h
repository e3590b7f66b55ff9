/*
 * What is answered over plain HTTP: who is welcome (http/admission), and which path leads where:
 * `/` says Ok, the rest is REST. Loop thread only.
 */
#ifndef EMULATOR_FRONT_H
#define EMULATOR_FRONT_H

#include "http/admission.h"
#include "rest/rest.h"

struct front {
  struct site site;
  struct admission admission;
  struct rest rest;
};

/* `address`: that is listened on. */
void front_init(struct front *front, struct pubsub_loop *loop, const struct service *service,
                const char *address);
void front_clear(struct front *front); /* its connections are gone */

#endif
